"""Weather reports, recipes, how-to texts and notices: everyday prose in steps and facts."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.grammar import capital, expand, names, phrases, sentences
from localtune.base.corpus.tasks.words import CITIES, FOOD, MONTHS, WEEKDAYS, company, person

WEATHER = {
    "report": ("{sky} {temperature} {wind}", "{sky} {temperature} {later}", "{sky} {wind} {later}", "{temperature} {sky}",
    "{sky} {temperature} {wind} {later}"),
    "sky": ("in {city} it will be {kind} on {day}.", "{day} brings {kind} weather to {city}.",
    "{kind} skies over {city} on {day}.", "the morning in {city} is {kind}, the afternoon {kind}.",
    "clouds cover {city}; it stays {kind}.", "{city} wakes up to {kind} weather."),
    "temperature": ("the temperature rises to {n} degrees.", "highs of {n} degrees are expected.",
    "it is {n} degrees, which is {feel} for {month}.", "at night it falls to {low} degrees.", "between {low} and {n} degrees."),
    "wind": ("the wind comes from the {side}.", "there is hardly any wind.", "a strong wind blows from the {side}.",
    "gusts can reach {n}0 kilometres per hour near the coast."),
    "later": ("towards evening showers are possible.", "the next days stay {kind}.", "on {day2} it clears up.",
    "take an umbrella with you.", "drivers should beware of ice.", "a good day for a walk.", "sun cream is a must.",
    "fog may return at night."),
    "kind": names("sunny, cloudy, rainy, dry, foggy, windy, snowy, bright, grey, mild, warm, cool, stormy, changeable"),
    "feel": names("warm, cold, normal, unusual, fresh"), "side": names("north, south, east, west, north-west, sea"),
}
STEPS = {
    "start": phrases("""
        wash and cut the {a} / peel the {a} / chop the {a} finely / mix the {a} with the {b} / put the {a} in a large bowl
        heat some oil in a pan / boil {n} cups of water / melt the butter / beat the {a} until it is soft
    """),
    "middle": phrases("""
        add the {b} and stir / cook for {n} minutes / fry until golden / season with salt and {c} / let it rest for {n}0 minutes
        pour the {c} over it / knead the dough with your hands / cover the pot / bake at {n}0 degrees less than full heat
        taste and add more {c} / fold in the {b} / turn it after {n} minutes
    """),
    "end": phrases("""
        serve it warm / serve with bread / let it cool before you cut it / sprinkle with {c} and serve / it keeps for {n} days
        enjoy / share it with {n} friends / tastes best the next day
    """),
}
DISHES = names("""
soup, stew, cake, salad, pie, bread, pan, curry, pudding, sauce, casserole, omelette, risotto, jam, toast, muffins
""")
HOW_TO = (
    ("How to plant a tree", phrases("""
        choose a sunny place / dig a hole twice as wide as the roots / loosen the soil / set the tree upright
        fill the hole with earth / press the earth with your foot / tie the stem to a stick / water it well
        water it again every week
    """)),
    ("How to change a bicycle tube", phrases("""
        turn the bike upside down / take out the wheel / let the air out / lift the tyre with two levers / pull out the old tube
        look for nails and glass / put in the new tube / press the tyre back / pump it up / put the wheel back
    """)),
    ("How to write a good letter", phrases("""
        think of what you want to say / greet the reader by name / say why you write in the first sentence
        keep the sentences short / leave out what is not needed / thank the reader / sign with your name / read it aloud once
        sleep over it before you send it
    """)),
    ("How to make tea", phrases("""
        fill the kettle with fresh water / warm the pot / put in one spoon of leaves per cup / pour in the hot water
        wait for three minutes / take out the leaves / add milk or lemon / serve it in thin cups
    """)),
    ("How to calm a crying baby", phrases("""
        look whether the baby is hungry / check the diaper / hold the baby close / walk slowly through the room / hum a low tune
        dim the lights / stay calm yourself / ask for help if you are tired
    """)),
    ("How to learn new words", phrases("""
        write each word on a card / say it aloud / draw a small picture / use it in a sentence / repeat it after an hour
        repeat it the next day / mix old cards with new ones / read easy stories / be patient
    """)),
    ("How to clean a window", phrases("""
        dust the frame / mix warm water with a little soap / wipe from top to bottom / rinse with clear water
        pull off the water with a rubber blade / dry the edges with a cloth / polish with old paper
    """)),
    ("How to pack a suitcase", phrases("""
        make a list / put heavy things at the bottom / roll the shirts / fill shoes with socks / put liquids in a bag
        leave some room for gifts / lay the coat on top / weigh the case / write your name on it
    """)),
    ("How to build a bird house", phrases("""
        cut six boards / sand the edges / drill a hole of three centimetres in the front / nail the sides to the floor
        screw on the roof / do not paint the inside / hang it two metres high / clean it every autumn
    """)),
    ("How to save energy at home", phrases("""
        turn off the light when you leave / lower the heating by one degree / close the blinds at night / wash with cold water
        cook with a lid / unplug what you do not use / dry clothes in the air / air the rooms for a short time
    """)),
    ("How to prepare for a job talk", phrases("""
        read about the company / write down three questions / learn the way to the place / choose clean clothes
        arrive ten minutes early / shake hands and smile / give short examples of your work / ask when you will hear from them
    """)),
    ("How to read a map", phrases("""
        find north / look at the scale / find your place / look for a river or a church
        turn the map until it fits what you see / measure the way with a thread / mark where you want to rest / keep the map dry
    """)),
    ("How to train a puppy", phrases("""
        choose one word for each command / practise for five minutes a day / reward at once / never shout
        start in a quiet room / repeat each step / stop while it is still fun / let all the family use the same words
    """)),
    ("How to back up your photos", phrases("""
        collect all photos in one folder / delete what is blurred / name the folders by year and month
        copy them to a second disk / check that the copies open / keep one disk in another house / repeat it every month
    """)),
    ("How to sew on a button", phrases("""
        cut a long thread / pull it through the needle / make a knot / come up from the back / go through the holes five times
        wind the thread around the button / make a second knot / cut off the rest
    """)),
    ("How to sleep better", phrases("""
        go to bed at the same time / leave the phone in another room / open the window for a while / do not eat late
        drink a cup of herbal tea / read a few pages / breathe slowly / get up if you lie awake for long
    """)),
)
NOTICES = (
    "the library is closed on {day}. Books can be put in the box by the door.",
    "lost: a(n) {color} {thing} near the station in {city}. Please call {who}.",
    "{firm} looks for a helper in the kitchen. Ask for {who}.",
    "choir practice is on {day} at {n}. New voices are welcome.", "the lift is out of order until {day}. We are sorry.",
    "flea market in {city} on {day}, from {n} to noon.", "please keep this door shut. The cat must not get out.",
    "room to let in {city}, {n}00 a month, from {month} on. Write to {who}.",
    "swimming lessons for children, every {day} at {n}.",
    "the road to {city} is closed from {month} on because of building work.",
    "free to a good home: {n} kittens. {who}, third floor.",
    "the shop of {firm} moves to {city} in {month}.", "bus number {n} does not run on {day}.",
    "language course for beginners: every {day}, {n}0 euro a month.",
)


def weather(rng: random.Random) -> str:
    """A report for one city."""
    low = rng.randint(-8, 15)
    day, second = rng.sample(WEEKDAYS, 2)
    slots = {**WEATHER, "city": rng.choice(CITIES), "day": day, "day2": second, "month": rng.choice(MONTHS), "low": str(low),
        "n": str(low + rng.randint(2, 14))}
    return sentences(expand("{report}", rng, slots))


def recipe(rng: random.Random) -> tuple[str, list[str], str]:
    """(title, ingredients, the steps as text)."""
    a, b, c = foods = rng.sample(FOOD, 3)
    slots = {"a": a, "b": b, "c": c, "n": str(rng.randint(2, 9))}
    steps = [rng.choice(STEPS["start"]), *rng.sample(STEPS["middle"], rng.randint(2, 4)), rng.choice(STEPS["end"])]
    if rng.random() < 0.4:
        text = "\n".join(f"{number}. {capital(expand(step, rng, slots))}." for number, step in enumerate(steps, 1))
    else:
        text = sentences(" ".join(expand(step, rng, slots) + "." for step in steps))
    return f"{capital(a)} {rng.choice(DISHES)} with {b}", foods, text


def how_to(rng: random.Random) -> tuple[str, str]:
    """(title, steps in their natural order, some left out)."""
    title, steps = rng.choice(HOW_TO)
    kept = [step for step in steps if rng.random() < 0.85] or list(steps)
    if rng.random() < 0.5:
        return title, "\n".join(f"{number}. {capital(step)}." for number, step in enumerate(kept, 1))
    joints = ("then", "next", "after that", "now", "")
    lines = [f"first, {kept[0]}", *(f"{rng.choice(joints)} {step}".strip() for step in kept[1:-1]), f"finally, {kept[-1]}"]
    return title, sentences(". ".join(lines) + ".")


def notice(rng: random.Random) -> str:
    """A note on a board."""
    slots = {"day": rng.choice(WEEKDAYS), "city": rng.choice(CITIES), "who": person(rng), "firm": company(rng),
        "month": rng.choice(MONTHS), "n": str(rng.randint(2, 9)),
             "color": rng.choice(("red", "blue", "green", "black", "brown")),
             "thing": rng.choice(("scarf", "wallet", "umbrella", "glove", "key ring", "bag", "hat"))}
    return capital(expand(rng.choice(NOTICES), rng, slots))
