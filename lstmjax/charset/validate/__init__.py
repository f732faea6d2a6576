"""The grammar of syllables, one module for a family of scripts.

A module's `consume(walk)` takes one syllable. The grammar is over one-letter classes of
characters, which the function that `classify(script)` returns assigns (`classify_char` in
`grapheme`, whose classes do not depend on the script). The letters are those of the Indian
standard ISCII where it has them:

    C consonant        V vowel letter     H virama           M matra (vowel sign)
    P piece of a matra D vowel modifier   N nukta            R robat
    Z joiner           z non-joiner       v Vedic mark       O anything else
"""
