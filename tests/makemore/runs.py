"""Runs on words of all kinds, for the tests that look at runs."""

from makemore import checkpoint
from makemore.training import Run, Settings

WORDS = ["anna", "ben", "Zoë", "clara", "émile", "ида", "noah", "mia", "leo", "emma", "ava", "olivia"]
SMALL = Settings(steps=60, batch_size=8, block_size=2, embedding=3, hidden=5, seed=7)
GREEK = ["Άννα", "Μαρία", "Νίκος", "Ελένη", "Γιώργος", "Σοφία"] * 3
ALPHABETS = {
    "arabic": ["محمد", "فاطمة", "علي", "حسن", "زینب", "نی\u200cم"] * 3,
    "chinese": ["张伟", "王芳", "李娜", "刘洋", "陈杰", "杨敏"] * 3,
    "devanagari": ["सीता", "राम", "कृष्ण", "अमर", "गीता", "मोहन"] * 3,
    "signs": [
        *("$x$", "<b>&\"'", "a]]>b", "na\x01me", "María José", "{|}\\n", "a\u0300\u0301\u0302", "\U0001f600\u202e-->"),
        *("x$", "$", "&", "<b>"),
    ],
    "one": ["a", "aa", "aaa", "a", "aa", "aaaa", "a"],
    "many": ["".join(map(chr, range(0x4E00 + 20 * i, 0x4E00 + 20 * i + 20))) for i in range(10)],
}


def made(words=GREEK, made=None, **chosen):
    """A run that has made some steps, or all."""
    run = Run(words, Settings(**{"steps": 60, "batch_size": 16, "hidden": 8, "embedding": 4, **chosen}))
    run.advance(run.settings.steps if made is None else made)
    if run.step:
        run.dev_loss()
    return run


def small_run(steps=0):
    """A run that has made some of 60 steps."""
    run = Run(WORDS, SMALL)
    run.advance(steps)
    return run


def saved(folder, *arguments, **chosen):
    """The folder, with such a run in it."""
    checkpoint.save(made(*arguments, **chosen), folder)
    return folder
