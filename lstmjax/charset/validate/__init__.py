"""What syllables may look like, one module a family of scripts.

A module's `consume(walk)` takes one syllable. It goes by one-letter classes of characters, which
`classify(script)` returns as a function (of graphemes, of any script: `classify_char`). The
letters are those of the Indian standard ISCII where it has them:

    C consonant        V vowel letter     H virama           M matra (vowel sign)
    P piece of a matra D vowel modifier   N nukta            R robat
    Z joiner           z non-joiner       v Vedic mark       O anything else
"""
