"""The text of the demonstration data: plain sentences, cut and combined with a seed."""

import random

MIN_LENGTH, MAX_LENGTH = 15, 35

TRAINING_SENTENCES = (
    "The archive opens at nine and closes when the last reader leaves.",
    "Every box on the lower shelf holds letters from the old harbour office.",
    "A careful hand wrote the names of all visitors in a green ledger.",
    "Please keep ink, food and wet coats away from the reading tables.",
    "Some maps were folded so often that the coast has worn away.",
    "The oldest page we own is a bill for seven barrels of salt fish.",
    "Nobody knows who numbered the photographs or why they begin at forty.",
    "When the roof leaked, the clerks carried the registers down to the chapel.",
    "Our catalogue lists the paper, the binding and the size of each volume.",
    "In the margin somebody has drawn a small fox with a very long tail.",
    "Tomatoes like a warm wall, plenty of water and no wind at all.",
    "She planted beans between the rows and picked them until October.",
    "A hedge of hazel gives shade, nuts and sticks for the peas.",
    "Do not dig when the soil is wet; it will only turn to bricks.",
    "The pear tree behind the kitchen has not been pruned for years.",
    "Bees visit the thyme first, then the sage, and last of all the mint.",
    "We tried six kinds of lettuce, and the snails enjoyed every one.",
    "Water in the evening, when the sun is behind the barn.",
    "An empty pot is a good house for a toad or a wren.",
    "By July the path had vanished under marrows and mallow.",
    "Rain came in from the west and stayed for most of the week.",
    "The barometer fell so quickly that he tapped it twice.",
    "Fog filled the valley, and only the church tower could be seen.",
    "After the storm we found roof tiles in the neighbouring field.",
    "Frost drew ferns on the window of the unheated room.",
    "It was too hot to work, so the masons slept until four.",
    "A light breeze moved the washing but not the mill.",
    "Snow is expected on high ground, with sleet along the coast.",
    "The river rose above the second step and stopped there.",
    "Thunder could be heard all night, yet not a drop fell.",
    "The ferry leaves from the far quay, not from the pier.",
    "Change trains at the junction and cross the bridge to platform two.",
    "His bicycle had one brake, no bell and an excellent lamp.",
    "They walked the last mile because the bus was full of sheep.",
    "Porters are asked not to whistle near the horses.",
    "The road bends sharply just before the mill; mind the ducks.",
    "Two lanterns at the gate mean that the inn has a free bed.",
    "Why does the express always wait outside the tunnel?",
    "We crossed the pass before noon and saw three valleys at once.",
    "The captain keeps a parrot that knows the timetable by heart.",
    "Stir the flour into the butter and add the milk by degrees.",
    "Bread needs time, warmth and somebody who is not in a hurry.",
    "Onions should be golden, never brown, before the stock goes in.",
    "The soup was thin, but there was a great deal of it.",
    "A pinch of salt makes the plums taste sweeter.",
    "He sold honey, candles and, on quiet days, good advice.",
    "The market moves indoors when the square is covered in ice.",
    "Whose turn is it to polish the scales and sweep the stall?",
    "Old Quigley mends clocks, umbrellas and the village pump.",
    "The joiner measures twice, cuts once and swears softly.",
)

HELD_OUT_SENTENCES = (
    "A drawer of pressed flowers was found behind the tax records.",
    "The gardener waters the quince before anybody else is awake.",
    "Clouds gathered over the ridge, but the hay was already in.",
    "Half of the passengers had never seen the sea before.",
    "Boil the jam until a drop of it sets on a cold plate.",
    "The key to the map room hangs under the stopped clock.",
    "Which of these jars holds the fine white sugar?",
    "Lightning struck the weather vane and turned it around.",
    "Six men lifted the organ, and the verger held the door.",
    "Leave your boots in the porch; the floor has just been waxed.",
)

NAMES = (
    "Xavier", "Quentin", "Zelda", "Yvonne", "Ursula", "Vera", "Kenneth", "Jasper", "Isabel",
    "Nora", "Gwen", "Ralph", "Doris", "Edith", "Felix", "Hugo", "Laura", "Martin", "Otto",
    "Peter", "Boris", "Clara", "Agnes", "Susan", "Thomas", "Wilfred", "Xenia", "Quinn", "Zachary",
    "Yusuf", "Una", "Victor", "Jane", "Kate",
)  # fmt: skip
GOODS = (
    "apples", "lamp oil", "gloves", "jam jars", "maps", "wax", "zinc tubs", "quills", "yarn",
    "boxes of tea", "oxtails", "vases", "hinges", "books", "kegs", "figs",
)  # fmt: skip
PLACES = (
    "Upper Quay", "Zion Hill", "King's Yard", "Foxglove Lane", "Mill Road", "North Gate",
    "Jubilee Row", "Vine Street", "Oxbow End", "Elm Walk", "Western Pier", "Abbey Court",
)  # fmt: skip
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def _entry(rng: random.Random) -> str:
    """A line as it might stand in a ledger: names, numbers, prices, places."""
    name, goods, place = rng.choice(NAMES), rng.choice(GOODS), rng.choice(PLACES)
    count, cents = rng.randint(2, 98), rng.randint(0, 99)
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1780, 1999)
    forms = (
        f"{count} {goods} at ${rng.randint(1, 9)}.{cents:02d}",
        f"{name} paid ${rng.randint(10, 999)}.{cents:02d}!",
        f"{day} {month} {year}, {place}",
        f"No. {rng.randint(100, 9999)} ({name}): {goods}",
        f"{place} {rng.randint(1, 199)}, {name}",
        f"{rng.randint(1, 99)}% of {goods}; {count} left",
        f"Open {rng.randint(7, 11)}:{rng.choice((0, 15, 30, 45)):02d} - "
        f"{rng.randint(1, 6)}:{rng.choice((0, 15, 30, 45)):02d}, {place}",
        f"Did {name} buy {goods}?",
        f"{name}'s {goods}, {count} in all",
        f"Box {rng.randint(1, 80)}-{rng.randint(100, 999)}: {goods}",
        f"{name} and {rng.choice(NAMES)} ({year})",
        f"{place} {year}".upper(),
        f"{name}: {goods}; {month}".upper(),
    )
    return rng.choice(forms)


def _extract(rng: random.Random, sentences: tuple[str, ...]) -> str:
    """Some successive words of a sentence."""
    words = rng.choice(sentences).split()
    start = rng.randrange(len(words))
    length = rng.randint(MIN_LENGTH, MAX_LENGTH)
    line = words[start]
    for word in words[start + 1 :]:
        if len(line) + 1 + len(word) > length:
            break
        line += " " + word
    return line


def make_lines(count: int, seed: int, *, held_out: bool = False) -> list[str]:
    """Make different lines of 15 to 35 characters, half of them ledger entries."""
    rng = random.Random(seed)
    sentences = HELD_OUT_SENTENCES if held_out else TRAINING_SENTENCES
    lines: dict[str, None] = {}
    while len(lines) < count:
        line = _entry(rng) if rng.random() < 0.5 else _extract(rng, sentences)
        if MIN_LENGTH <= len(line) <= MAX_LENGTH:
            lines[line] = None
    return list(lines)
