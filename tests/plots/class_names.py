"""Names of classes for the tests: short ones, long ones, and some that are hard to draw."""

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
HOSTILE = ("<script>alert(1)</script>", r"$\frac{", "two\nlines", "", "x" * 40, *"56789")
CLASSES = {"digits": DIGITS, "clothes": CLOTHES, "hostile": HOSTILE}
