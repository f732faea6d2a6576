"""Line breaking classes of characters (Unicode Standard Annex 14), as a compact table.

Most characters have the usual class of their general category; the table lists the others. It
holds runs: the distance from the start of the run before, in hexadecimal, and the class, if it is
not that of the category. All Hangul syllables are H2 here, as H2 and H3 differ only before old
vowels.
Source: Unicode 15 property Line_Break.
"""

import base64
import unicodedata
import zlib
from bisect import bisect_right
from functools import lru_cache

_BY_CATEGORY = {
    "Cc": "CM", "Cf": "CM", "Mn": "CM", "Me": "CM", "Mc": "CM",
    "Zs": "BA", "Po": "BA", "Pd": "BA", "Zl": "BK", "Zp": "BK",
    "Sc": "PR", "Ps": "OP", "Pe": "CL", "Nd": "NU", "Pi": "QU", "Pf": "QU",
    "Cn": "XX", "Cs": "XX", "Co": "XX", "Lo": "ID", "Pc": "ID",
}  # fmt: skip
_OTHER = "AL"
_PACKED = (
    "c-pmCNp{#a48003p!dW<l(e+nHny8MZrn6&b{g-"
    "0gaY^gMLKcvy68q6M1mjy0w0*W+Z*S*_rKBS_IDS$yHCzLAG()kn)&r_`uy>kJ~!`qx_kbpeVL`^?%5`uX=C^BLZAD8t"
    "oK4aw{SnW2x=g-"
    "Vma?FbDOZ@rtV3GOZSe+etgzrUFvQgh>qvR6Q{B|fF+^Ezq{L8kbH0hnkXckAF<D$Xt#)C6F152J%%yJZy|%-"
    "*5k9J5kko(vDD>L*mWB>BVUjOK$pSY_Q0L&!i@Qt@grEnvT<{FPotH1qE;9SZpFsP_l%I_j@6<bxkcz9#D#As@_70T(h"
    ")y$E&Ne=>T$q=b+Y`#nxIP$Vw^j}3^r(!Tqy88Md_kt;RYAVthbAhpWR@lL(QtANx8Dq4ryjuuHumSn4Rj#hl=wB%a!B"
    "_IZfa{s6dtSXjhI<a;$Ie-Co@_DibWeKx~S|Da{egrngTBubUGGnrX*M7ak|gcCLS$-tbxgXC<#<T<cE-"
    "@C~`6x%sKHzLKlTUfEO81y?T#HmNJ6+30MQxhkf)rfH-vtkmXLB<=^is>#%cNB9=G<@No}MjIG)cOQ!GTj7)Ch1N0#{G"
    "D{sSo~gA3)V}UCC?_90I7!^!>xO{adDwd)T)@H=K(YKawDRoX3){p%+mEj{TIzhc1um7SC2PHvPq>E;5E5Njr8ex4scH"
    "TR7pJIJJ(90A+eFE1BNU;4+G0YshJYkX}%L%lY6Be-XQ5<;g$ro+S*5wTi-qY<<itW{^<reAkAi4p?RwHWN6m}|MM;Cc"
    "w)OV#l{bf5)H%*N8CPdO3X}r!G^TLu}$hV1Du9ecj5Id?$=XdeetPJFPGNTG(_zIS7A*A4OdVePnfyCyWV3^BaH)C7*r"
    "PJErQPsKkiRfiqIA{kPBB6TIKi+TB7TbT7|o)Z1wt}MzF_rd+H5#VuCw|8}Rp3-X^o@kTqWHRZI!y3&O;4Pvo=cx-"
    "?<Gg_WW5m$`8-<fdWME*#qSJ-ow=aqPZ+5ix)L@_0#)L>mkfn77n^=pLTrb<6Xhr#+R&%b}k%hiHvZEvk&KoR0w#oX_X"
    "t0tzk`!v=yB0ze9xif+^3B8@Kq=5#UIoNU+8Z0LhQ4oC;wM*fN1R?H3!P!Td4aMNO}WsKrft)U%jH5AD|AeMlSYAJJ3K"
    "v=5IOU<#`WE%}wq8M&z2rJinb*K^x*7$a~H~Wou6V%E2_43ky*B*Z1J&D`o^2XEisoGKbgh9#l#=ug+%~7q#&QITtqFr"
    "CNb130fnWCYb?i<M_BfuQOKB>pDqlPfsEqa0P#xo{x6Y*a07)?P;p_(tsI+gaJvpbJP7^ykchy>u@mbKE0jSXBsGxvsy"
    "h+X2^IvG{^MJ6$uGAX6V<_N(MjyPQ04AIXgVpu{G@ggS$rsTioDm46;CP+%dx}b)YDGAPEQRCzD1$%;_FtAWX{(+rNaa"
    "?N^a?D$(-(Tf|3nWAEdgFE%^vp^jLU-"
    ">W1w;}Rp<7@M6DCEBi;0}^4SM3iR7ZD@$kX0#W^K>!{moUw!XeTLKJxz{jX%P_n{nlyLla**k&yVWjQpwQCGT>QskNuK"
    "?FWb^jUuY320<YR2GVbqY#9(mta2&TYBI$m6QSsee8<h&=CMjF#s*EM3!7>hA!`W^3p~@<%rj&tf*zKF0yN$8o1Q<KT{"
    "DKFIBenfs33Z>Oip68!mptqTOgfS;Irkq0@5PW=jF)G#wtI_E;LR1uI7SG_U@kTd13Vs#3PmygS^Q8cZ3DI471I$8c*U"
    "LsQn(;>HfWNeEkbeBf`i*wc+!s2~p}b%gtg4lznLYj7UuJhF&hTC2_%LeH+SMfM<@pTs_qt7<sa-czhYo%bT~9z%Bg*W"
    "Cj^CYX9<B;I=yOvO3tiZja;MdcEAT)vwoqRr7il<czAi40<jL=OXf+Qg7e_w;#K^y0Rgun?hf&7`ILyPb@kVz>dVg1Wd"
    "ha0w|Fe)d+y(WJU)Rm<##~nsI1`IEhWBgH&9<)tJnK&M;bg%w8!?Zk{R|HUGT5!jD0p(o#nVav<r|HJ6&UB><k~h7gn0"
    "QS?<Vp4xnLSLs-hW!J+GM$i|6r1wpsO^k6?`)v=8DnYG1Brf0}XIe+g)&_A!VJUpA908)9yVNCu3}y$*&4X3F6t@ooAV"
    "oNv<{Dlz>JaO)g5vufiYb+YptT+(^UU1dl((ijk*V`YoYuqRBwIdIKkL=trKD)H)j=BVBh80neVrltDnnd~GY$E_7f?d"
    "Q;^5}Pqz1QSL1eE^k6Lx1+j^D$I$1WQWy?^Kz-"
    "Z<bl5MgI%*tzb8?Tmfr7Zq`MI7J|A$gtndCIe9eHyB<Emn6{2~KVCuOxStXCAefMvEkse*9L&&R{9COHJY6>dzHQ3Wr`"
    "u=-KUOB0)pSU2;`r2}3DWk;4&srMP*xvHwn8E^CJAwZxd)-+d`5rcvKtveF-"
    "!6NChObtU^jOl{=2@qvNg4LtYCwO4W;R^XM8l(Zxj=fxfJXQKooZK%zv3WteNri3BrHo=+mK9s@lN<rLy9A_B|m#b7}#"
    "%j^Kw|3igGWSk*E^ry!(Vj3eG*<J8v+C3e0LeOBDh_I?3aG-UzGYC6#vW8$w$h5~WI6>_YSm*^Uqom)q+wIYxO2;}T!s"
    "fXBtiB6N=XCJY;|Iv)xRYQS7wakQ5PP`5PB5*4n`N^J77WN<bv6CYVXJq=D-u*cuRuH12j7}-"
    "X=6oXCq%RvwZ1cCIu^&^QWd}yta?A@o`HFG_A=Efc4)t@dq@2)U+E?;~CTUcrgS~3aP%rN1pGBjI);<dB4)mLzB)0sf|"
    "oV{GYo|51Jk^@F-bjR&+L^9V`c;1+h&)!!<{#8^2k`eKH%$e<Wt0AKNTEmHoc-#wxwF-"
    "tj%ac5$38$i|}`^$E{Dh;u+j<jl-c_)6CqL(2@H;;#A61b|97z_=6M2M%zY(@GsnYYo?}$c@|bxlFF57o!`K=A<Gpia4"
    "7B<_UOMbRq~G@L29K1X|WeUV0PvWMM9Ia_rJ-"
    "C{7m#d%3D_d*I)<Y7uJ*!41N7J};$<M5T^0is>=!^KeT(pni(6eboQ^p|CwqL3O%EId9_<tKRY8u$<(?V_W0D0^S>D"
)


@lru_cache(maxsize=1)
def _runs() -> tuple[list[int], list[str]]:
    """Starts of the runs, and their classes; "" for the class of the category."""
    starts, classes, position = [0], [""], 0
    for entry in zlib.decompress(base64.b85decode(_PACKED)).decode().split():
        distance, _, name = entry.partition("-")
        position += int(distance, 16)
        starts.append(position)
        classes.append(name)
    return starts, classes


@lru_cache(maxsize=65536)
def line_class(character: str) -> str:
    """The two or three letters of a character's line breaking class, such as "AL"."""
    starts, classes = _runs()
    listed = classes[bisect_right(starts, ord(character)) - 1]
    return listed or _BY_CATEGORY.get(unicodedata.category(character), _OTHER)
