"""Whether two opinions may be about the same matter, by the characters that they share. Without any input or output.

Chinese says the same in other words, but seldom without the characters of the matter itself: the place, the thing, what
is wrong with it. So two texts are compared as sets of characters, by the coefficient of Dice (L. R. Dice, "Measures of
the Amount of Ecologic Association Between Species", Ecology 26, 1945): twice what both have, divided by what each has.
On texts of this kind that finds more than pairs of neighbouring characters do, and rarity adds nothing to it; `python
-m bench --only likeness` prints both. What is found is a suggestion: a person decides.
"""

import unicodedata

# Characters that hold a sentence together, and those of asking for something.
PARTICLES = frozenset("的了是在有和与及或就都也很还又吗呢啊吧着过把被让给到去来从向往请我你他她它们这那个些希望")


def letters_of(text: str) -> frozenset[str]:
    """The different letters and digits of a text, in one form whatever their width or case, without particles."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(letter for letter in folded if unicodedata.category(letter)[0] in "LN") - PARTICLES


def score(shared: int, one: int, other: int) -> float:
    """From 0 to 1, of so many characters that two texts of so many each share."""
    return 2 * shared / (one + other) if shared else 0.0
