"""What stands under each picture: what to look for."""

ONE = {  # title, text
    "loss": (
        "Loss and learning rate",
        """Each step sees only a few examples, so its loss jumps up and down: the band. Look at the mean. It falls
        fast, then ever more slowly, and once more where the learning rate drops. A mean that rises says that
        the rate is too high. Where the loss on the dev words rises while that of the training falls, the model
        learns its words by heart.""",
    ),
    "activations": (
        "Activations of the hidden layer",
        """Left: how often tanh gives which value, from the start (faint) to the end (strong). Right: the share
        that is saturated, near -1 or 1, where tanh is flat and passes hardly any gradient on. Some percent do
        no harm; where most are saturated, units no longer learn. Where all lie near 0, tanh is a straight line
        and the layer adds nothing. BatchNorm keeps it in between.""",
    ),
    "gradients": (
        "Gradients of the weight matrices",
        """How often which gradient, from the start (faint) to the end (strong); the density by its logarithm. Look
        for a peak at 0 with both sides alike, and for widths that stay within a factor of ten or so. Gradients
        that shrink away or grow without end say that the scale of the weights, or the learning rate, is wrong.""",
    ),
    "updates": (
        "How far an update moves each parameter",
        """The spread of an update beside that of the weights, as a power of ten: at -3 (dashed) a step changes
        weights by about a thousandth. Far above, the learning rate is too high; far below, the parameter hardly
        learns. What begins at zero moves most at first. b1 lies far below: BatchNorm subtracts the mean, and b1
        with it, so it has no effect.""",
    ),
    "embedding": (
        "The embedding",
        """The letters where the model has put them, in the plane in which they vary most; the dot is the beginning
        and the end of a name. Letters that lie together are alike to the model, since much the same follows
        them. Are the vowels a, e, i, o, u (in another colour) together? Are the rare letters?""",
    ),
    "bigrams": (
        "Which letter follows which",
        """Each row shows what follows one letter: left as the training words have it, right as the model says in
        the same places, on average. The two should look alike; what is only on the left has not been learned
        yet. The dot is the beginning and the end.""",
    ),
}

SEVERAL = {
    "loss": (
        "Loss and learning rate",
        """Look at the solid lines, the mean loss of the training, and the dashed ones, the loss on the dev words:
        the lower, the better. The bands show all steps. Losses can be compared only where the words are the same.""",
    ),
    "updates": (
        "How far an update moves each parameter",
        """The spread of an update beside that of the weights, as a power of ten; about -3 (dashed) is a good rule.
        A run whose curves lie higher takes larger steps.""",
    ),
    "saturation": (
        "Saturated activations",
        """The share of tanh activations near -1 or 1, which pass hardly any gradient on: the fewer, the more units
        still learn.""",
    ),
}

NAMES = "A model that has learned well invents names that are new and yet sound right."
MARKED = "Hyperparameters and data that differ are marked ≠."
NO_STEP = "There is nothing to draw yet: no step has been made."
NO_DIAGNOSTICS = """The checkpoint is from a makemore that kept no diagnostics, so this picture is missing.
    Train again to get it."""
