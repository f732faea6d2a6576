"""Texts of many scripts, and what Tesseract 5.3.0 makes of them."""

_HEXES = """
939 93F 928 94D 926 940 20 915 94D 937 924 94D 930 93F 92F 20 930 94D 915 20 921 93C 20 915 93E 951
627 644 639 631 628 64A 651 629 20 663 20 644 627 640 645
5E2 5D1 5E8 5D9 5EA 20 5E9 5B8 5C1 5DC 5D5 5B9 5DD
E44 E17 E22 20 E19 E49 E33 20 E01 E33
1781 17D2 1798 17C2 179A 20 1780 17BB 17C6
1019 103C 1014 103A 1019 102C 20 1000 1039 1000
"""
LINES = [
    "The \u201cfox\u201d \u2014 it\u2019s a \ufb01ne day",
    "cafe\u0301 na\xefve A\u0301B x\u0323\u0307",
    "\ud55c\uad6d\uc5b4 \uc4f4\ub2e4 \uac12",
    "\u6f22\u5b57\u6728\u6797\u9b31 \u4e00",
    *("".join(chr(int(code, 16)) for code in line.split()) for line in _HEXES.split("\n") if line),
]
VECTORS = "".join(line + "\n" for line in LINES).encode()
VECTOR_SHA256 = "156a091cfefd4f50b7fc6dbebe93cd5870e7fbf6ff3f03525ee546860bfd76ad"
VECTOR_UNICHARSETS = {
    1: "87a3a4085086a8d65f8b6fa6206197386507e85fbcd4b55bc2d12ef8102c799f",
    2: "b12871d8c277a3d66ef1d55057d61cd022cc4ce1dc8d4fb0fc8386e251f0bfa5",
    3: "cf433f4792244c7ecb41b86dd45138d469d672eedc67690ef5ad330dab321d51",
}
"""sha256 of what unicharset_extractor writes, by norm_mode."""

LINE_SHA256 = {
    "latin": ("c8a4574b99f1febb", "8a189a6476480f87"),
    "latin-marks": ("926b12c77e188e20", "45bf1adcb22eb483"),
    "hangul": ("14170e9f1a869e17", "00dbe68b3558f1d4"),
    "han": ("fd888aa3db3126bc", "8f7ee5f1fb0da3b6"),
    "devanagari": ("cbaede11a859b0b3", "a15e2d2627b99aed"),
    "arabic": ("ae557f64260611c3", "f7eac4c8ad7f1386"),
    "hebrew": ("3f93f548ba450872", "768ab1d2686d5c6b"),
}
"""For the first lines each: sha256 (beginning) of its unicharset, and of the completed one."""

WRITTEN = {
    "khmer": "ភាសាខ្មែរ គឺជាភាសាកំណើតរបស់ជនជាតិខ្មែរ\nព្រះរាជាណាចក្រកម្ពុជា ក្រុមហ៊ុន ស៊ី ១២៣៤៥ ៖ ។\n",
    "myanmar": "မြန်မာဘာသာစကားသည် မြန်မာနိုင်ငံ၏ ရုံးသုံး ဘာသာစကား ဖြစ်သည်။\nအင်္ဂလိပ် ဦးကျော်စွာ ပဏ္ဏိတ ၁၂၃ က္ကျွန်ုပ်\n",
    "kannada": "ಕನ್ನಡ ದ್ರಾವಿಡ ಭಾಷೆಗಳಲ್ಲಿ ಪ್ರಾಚೀನವಾದ ಭಾಷೆಗಳಲ್ಲಿ ಒಂದಾಗಿದೆ\nರಾಜ್ಯೋತ್ಸವ ಶ್ರೀ ಕ್ಷೇತ್ರ ಸಾರ್ವಜನಿಕ ೧೨೩\n",
    "tamil": "தமிழ் மொழி உலகில் உள்ள முதன்மையான மொழிகளில் ஒன்று\nஸ்ரீ க்ஷேத்ரம் அஃது இஃது ௧௨௩ ௰\n",
    "javanese": "ꦲꦤꦕꦫꦏ ꦢꦠꦱꦮꦭ ꦥꦝꦗꦪꦚ ꦩꦒꦧꦛꦔ\nꦧꦱꦗꦮ ꦲꦏ꧀ꦱꦫ ꦥꦿꦧꦸ ꦏꦾꦲꦶ ꦱ꧀ꦮꦺꦴꦤ꧀ꦤ ꧋꧑꧒꧓\n",
    "bengali": "বাংলা ভাষা একটি ইন্দো-আর্য ভাষা ক্ষমা শ্রী র‍্যাব উৎসব ১২৩\n",
    "telugu": "తెలుగు భాష స్త్రీ క్షమాపణ శ్రీకృష్ణ ౧౨౩\n",
    "malayalam": "മലയാളം ഭാഷ സ്ത്രീ ന്‍ ൻ ക്ക ശ്രീ അവൻ\n",
    "sinhala": "සිංහල භාෂාව ශ්‍රී ලංකා ක්‍රමය ද්‍යා\n",
    "gujarati": "ગુજરાતી ભાષા શ્રી ક્ષમા જ્ઞાન ૧૨૩\n",
    "gurmukhi": "ਪੰਜਾਬੀ ਭਾਸ਼ਾ ਸ੍ਰੀ ਪ੍ਰਧਾਨ ੧੨੩\n",
    "oriya": "ଓଡ଼ିଆ ଭାଷା ଶ୍ରୀ କ୍ଷମା ୧୨୩\n",
    "thai": "ภาษาไทย น้ำใจ ผู้ใหญ่ เก็บ กิ่งไม้ ที่นี่ ๑๒๓ ฤดู\n",
    "greek": "Ελληνική γλώσσα, ᾳ ῴ Ἀθῆναι «ναί»\n",
    "russian": "Русский язык, объём «ёлка» № 5\n",
    "tibetan": "བོད་སྐད་ བཀྲ་ཤིས་བདེ་ལེགས།\n",
    "mixed": "हिन्दी ไทย ქართული 한국어 हिन ไท\nক ক क क\n",
}
"""Some sentences in scripts of which there are no training texts at hand."""
