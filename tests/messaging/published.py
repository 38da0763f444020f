"""Segment counts as 3GPP TS 23.038 and TS 23.040 give them, worked out by hand: name, text, parts.

160 septets alone and 153 with a header; 70 UCS-2 units alone and 67 with a header; extension characters are two
septets, characters beyond the basic plane two units; neither pair is split.
"""

CASES = (
    ("one letter", "a", 1),
    ("160 basic letters", "a" * 160, 1),
    ("161 basic letters", "a" * 161, 2),
    ("306 basic letters: two full parts", "a" * 306, 2),
    ("307 basic letters", "a" * 307, 3),
    ("459 basic letters: three full parts", "a" * 459, 3),
    ("460 basic letters", "a" * 460, 4),
    ("every basic kind", "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà", 1),
    ("80 euro signs: 160 septets", "€" * 80, 1),
    ("81 euro signs: 162 septets", "€" * 81, 2),
    ("158 letters and a bracket: 160 septets", "a" * 158 + "[", 1),
    ("159 letters and a bracket: 161 septets", "a" * 159 + "[", 2),
    ("an escape is not split: 152 + 2 + 152 septets", "a" * 152 + "€" + "a" * 152, 3),
    ("70 Arabic letters", "م" * 70, 1),
    ("71 Arabic letters", "م" * 71, 2),
    ("134 Arabic letters: two full parts", "م" * 134, 2),
    ("135 Arabic letters", "م" * 135, 3),
    ("201 Arabic letters: three full parts", "م" * 201, 3),
    ("one Arabic letter among 70", "a" * 69 + "م", 1),
    ("one Arabic letter among 71", "a" * 70 + "م", 2),
    ("35 faces: 70 units", "😀" * 35, 1),
    ("36 faces: 72 units", "😀" * 36, 2),
    ("66 faces: 33 in each part, as 67 units hold no half", "😀" * 66, 2),
    ("67 faces", "😀" * 67, 3),
    ("a face across the border of the first part", "م" * 66 + "😀" + "م" * 66, 3),
)

KANNEL_DIFFERS = {"67 faces": 2, "a face across the border of the first part": 2}
"""Kannel 1.4.5 cuts a surrogate pair in two, which saves a part and shows two boxes on many phones."""
