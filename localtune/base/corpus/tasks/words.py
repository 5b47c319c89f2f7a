"""Hand-written lists shared by the task families, and makers of names that no list holds."""

from __future__ import annotations

import random

from localtune.base.corpus.tasks.grammar import names

WOMEN = names("""
Ada, Agnes, Aisha, Alma, Amelia, Amina, Ana, Anika, Anna, Astrid, Beatriz, Bella, Birgit, Brigid, Camila, Carla, Carmen,
Celia, Chiara, Chloe, Clara, Daniela, Daria, Delia, Dora, Edith, Elena, Elif, Elsa, Emilia, Emma, Esther, Eva, Farah,
Fatima, Fiona, Flora, Freya, Gemma, Giulia, Grace, Greta, Hana, Hannah, Heidi, Helen, Ida, Ines, Ingrid, Irene, Iris,
Isabel, Jana, Jasmine, Joan, Julia, Karin, Kate, Keiko, Laila, Lara, Laura, Lea, Leila, Lena, Lina, Livia, Lucia, Luisa,
Maia, Maren, Maria, Marta, Maya, Mei, Mina, Mira, Molly, Nadia, Naomi, Nina, Nora, Olga, Olivia, Paula, Petra, Priya,
Rachel, Rita, Rosa, Ruth, Sabine, Sara, Selma, Sofia, Stella, Susan, Tamar, Tara, Tessa, Thea, Uma, Vera, Wanda, Yara,
Yuki, Zahra, Zoe
""")
MEN = names("""
Adam, Ahmed, Alan, Albert, Amir, Andre, Anton, Arjun, Arthur, Basil, Ben, Boris, Bruno, Carl, Carlos, Cem, Daniel, David,
Diego, Dmitri, Edgar, Elias, Emil, Enzo, Erik, Farid, Felix, Finn, Frank, Gabriel, Georg, Hamid, Harry, Hassan, Hugo,
Ian, Igor, Isaac, Ivan, Jack, Jakob, James, Jan, Javier, Jonas, Jorge, Josef, Juan, Kai, Karim, Kenji, Kofi, Lars, Leo,
Liam, Louis, Lukas, Magnus, Malik, Marco, Mario, Martin, Mateo, Max, Milan, Milo, Mohan, Nico, Niels, Noah, Oleg, Omar,
Oscar, Otto, Pablo, Paul, Pavel, Pedro, Peter, Quentin, Rafael, Raj, Ravi, Rico, Robert, Rolf, Samir, Samuel, Sanjay,
Stefan, Sven, Tariq, Theo, Thomas, Tim, Tobias, Tom, Victor, Viktor, Walter, Wei, Will, Yusuf, Zoltan
""")
PEOPLE = WOMEN + MEN
SURNAMES = names("""
Abbott, Adeyemi, Ahlberg, Almeida, Andersen, Baker, Barros, Becker, Bell, Bianchi, Blum, Bose, Brandt, Brook, Castillo,
Chen, Costa, Dahl, Demir, Diaz, Dubois, Eriksen, Evans, Farouk, Fischer, Flores, Foster, Fuchs, Garcia, Gill, Graham,
Gruber, Haddad, Hansen, Hart, Hayashi, Hill, Horvat, Hughes, Ibrahim, Ivanov, Jansen, Jones, Kaur, Keller, Kim, Klein,
Kovacs, Kumar, Lang, Larsen, Lee, Lehmann, Lopez, Lund, Mendes, Meyer, Miller, Mora, Moreau, Murphy, Nakamura, Nguyen,
Novak, Okafor, Olsen, Ortiz, Osman, Park, Patel, Pereira, Petrov, Popov, Quinn, Ramos, Reyes, Ricci, Rossi, Roy, Ruiz,
Sato, Schmidt, Shaw, Silva, Singh, Smith, Sokolov, Stein, Suzuki, Tanaka, Taylor, Thorne, Toth, Vargas, Virtanen, Vogel,
Walsh, Weber, Wood, Yilmaz, Young, Zhang, Ziegler
""")
CITIES = names("""
Accra, Amsterdam, Athens, Auckland, Baku, Barcelona, Basel, Beirut, Bergen, Berlin, Bilbao, Bogota, Bologna, Bristol,
Brno, Budapest, Cairo, Calgary, Cardiff, Chicago, Copenhagen, Cork, Cuzco, Dakar, Delhi, Denver, Dresden, Dublin, Durban,
Edinburgh, Florence, Fukuoka, Geneva, Ghent, Glasgow, Graz, Hamburg, Hanoi, Havana, Helsinki, Istanbul, Izmir, Kampala,
Kyoto, Lagos, Leeds, Leipzig, Lima, Lisbon, Lyon, Madrid, Malmo, Manila, Melbourne, Milan, Montreal, Mumbai, Munich,
Nairobi, Nantes, Naples, Odense, Osaka, Oslo, Oxford, Palermo, Paris, Perth, Porto, Prague, Quito, Riga, Rome, Rotterdam,
Salvador, Salzburg, Santiago, Seattle, Seoul, Seville, Sofia, Split, Stockholm, Sydney, Tallinn, Tampere, Tbilisi, Tokyo,
Toronto, Toulouse, Tunis, Turin, Utrecht, Valencia, Vienna, Vilnius, Warsaw, York, Zagreb, Zurich
""")
COUNTRIES = names("""
Argentina, Australia, Austria, Belgium, Bolivia, Brazil, Bulgaria, Canada, Chile, China, Colombia, Croatia, Cuba, Denmark,
Ecuador, Egypt, Estonia, Ethiopia, Finland, France, Georgia, Germany, Ghana, Greece, Hungary, Iceland, India, Indonesia,
Ireland, Italy, Japan, Jordan, Kenya, Latvia, Lebanon, Malta, Mexico, Morocco, Nepal, Nigeria, Norway, Peru, Poland,
Portugal, Romania, Rwanda, Senegal, Serbia, Slovenia, Spain, Sweden, Switzerland, Tanzania, Thailand, Tunisia, Turkey,
Uganda, Ukraine, Uruguay, Vietnam, Zambia
""")
COLOURS = names("""
red, blue, green, yellow, black, white, grey, brown, orange, purple, pink, turquoise, beige, navy, silver, gold, olive,
crimson, ivory, violet, teal, maroon, cream, copper, mint, coral, lilac, khaki, charcoal, amber, sand, scarlet
""")
FOOD = names("""
apple, banana, pear, cherry, grape, lemon, mango, melon, orange, peach, plum, fig, kiwi, lime, olive, carrot, potato, onion,
tomato, pepper, cucumber, radish, spinach, leek, bean, pea, bread, butter, cheese, egg, milk, rice, noodle, soup, cake,
biscuit, honey, jam, tea, coffee, almond, walnut, salt, sugar, flour, garlic, ginger, mushroom, pumpkin, yogurt
""")
ANIMALS = names("""
ant, badger, bat, bear, beaver, bee, bison, camel, cat, cow, crab, crane, crow, deer, dog, dolphin, donkey, duck, eagle,
elk, falcon, ferret, fox, frog, goat, goose, hamster, hare, hawk, hedgehog, heron, horse, ibex, jackal, koala, lark, lion,
lizard, llama, lynx, mole, moose, mouse, newt, octopus, otter, owl, panda, parrot, penguin, pig, rabbit, raven, seal, sheep,
snail, snake, sparrow, spider, squirrel, stork, swan, tiger, toad, trout, turtle, whale, wolf, wombat, yak, zebra
""")
THINGS = names("""
backpack, ball, basket, bell, bicycle, blanket, book, bottle, bowl, box, brush, bucket, button, camera, candle, chair, clock,
coat, coin, comb, compass, cup, desk, drum, envelope, fan, flag, flute, fork, glove, guitar, hammer, hat, kettle, key, kite,
knife, ladder, lamp, letter, map, mirror, mug, nail, needle, notebook, oven, paddle, pan, pen, pencil, phone, piano, pillow,
plate, radio, ring, rope, ruler, saddle, scarf, scissors, shoe, shovel, soap, spoon, stamp, stone, table, tent, ticket,
towel, toy, tray, umbrella, vase, violin, wallet, watch, wheel, whistle, window
""")
PRODUCTS = names("""
running shoes, garden chairs, rain jackets, coffee makers, office desks, phone cases, desk lamps, wool socks, bike helmets,
travel bags, kitchen knives, board games, yoga mats, water bottles, baby strollers, electric shavers, hearing aids, solar
panels, heat pumps, wooden toys, dog food, cat litter, herbal tea, dark chocolate, frozen pizza, oat milk, olive oil, hand
soap, sun cream, tooth brushes, mountain bikes, camping tents, sleeping bags, ski boots, surf boards, swim goggles, tennis
rackets, photo printers, USB chargers, wireless speakers, smart watches, laptop bags, video games, e-book readers, drones,
wall paint, floor tiles, window blinds, door locks, smoke alarms, power drills, lawn mowers, garden hoses, flower seeds,
picture frames, candles, bed linen, pillows, mattresses, curtains, bath towels, shower heads, washing machines, dish washers,
ovens, toasters, blenders, rice cookers, lunch boxes, school bags, pencils, notebooks, greeting cards, wedding dresses,
leather belts, sunglasses, silver rings, perfume, lipstick, hair dryers, car tyres, child seats, roof boxes, electric
scooters, fishing rods, guitars, violins, piano lessons, language courses, online accounting, tax software, cloud storage,
web hosting, car insurance, travel insurance, home loans, train tickets, city tours, hotel rooms, gym classes, meal kits,
pet toys, aquariums, bird feeders, bee hives, wine glasses, craft beer, apple juice, sparkling water, breakfast cereal
""".replace("\n", " "))
JOBS = names("""
nurse, teacher, baker, engineer, lawyer, farmer, driver, pilot, chef, dentist, painter, plumber, librarian, journalist,
carpenter, architect, gardener, mechanic, musician, tailor, biologist, chemist, sailor, translator, programmer, judge,
pharmacist, photographer, postman, electrician
""")
WEEKDAYS = names("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
MONTHS = names("January, February, March, April, May, June, July, August, September, October, November, December")
COMPANY_WORDS = names("""
Alder, Apex, Aurora, Beacon, Birch, Blue Harbor, Bright, Cedar, Clearwater, Cobalt, Comet, Copper, Crescent, Delta, Echo,
Ember, Evergreen, Falcon, Fern, Granite, Green Leaf, Harbor, Hazel, Horizon, Iron Gate, Ivy, Juniper, Keystone, Lakeside,
Lantern, Laurel, Lighthouse, Linden, Lotus, Lumen, Maple, Meridian, Mill Road, Mistral, Moss, North Star, Oak, Orchard,
Orion, Pebble, Pine Hill, Polar, Prairie, Quartz, Red Fox, Ridge, River Bend, Rowan, Sable, Saffron, Sierra, Silver Bay,
Solstice, Sparrow, Stone Bridge, Summit, Sunrise, Swift, Thistle, Timber, Tidal, Topaz, Tundra, Umber, Vale, Vertex,
Wander, Westwind, Willow, Zenith
""")
COMPANY_ENDS = names("""
Ltd, Inc, Group, Labs, Works, Systems, Foods, Energy, Media, Bank, Motors, Design, Studio, Partners, Trading, Textiles,
Logistics, Software, Health, Tools, Travel, Books, Optics, Farms, & Co, & Sons, Brothers, Industries, Supplies, Home
""")
_ONSETS = "b bl br c ch cl d dr f fl g gl gr h j k kl kr l m n p pl pr qu r s sh sk sl sn st t tr v w y z".split()
_VOWELS = "a e i o u a e i o ai ea io ou oo".split()
_CODAS = ["", "", "", *"l m n r s t x nd rk lt sh ng ck".split()]


def invented(rng: random.Random) -> str:
    """A pronounceable name of two or three syllables that is in no list, such as 'Velora'."""
    count = rng.choice((1, 2, 2))
    head = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(count))
    return (head + rng.choice(_ONSETS[:1] + list("lmnrstvdk")) + rng.choice(_VOWELS[:5]) + rng.choice(_CODAS)).capitalize()


def company(rng: random.Random) -> str:
    """A company name, half of the time with an invented stem."""
    stem = invented(rng) if rng.random() < 0.5 else rng.choice(COMPANY_WORDS)
    return stem if rng.random() < 0.4 else f"{stem} {rng.choice(COMPANY_ENDS)}"


def person(rng: random.Random) -> str:
    """First name and surname."""
    surname = invented(rng) if rng.random() < 0.2 else rng.choice(SURNAMES)
    return f"{rng.choice(PEOPLE)} {surname}"


def full_name(rng: random.Random) -> str:
    """A person as news name them: mostly first name and surname, also with a title, an initial, or two invented names."""
    kind = rng.random()
    if kind < 0.65:
        return person(rng)
    if kind < 0.8:
        return f"{invented(rng)} {invented(rng)}"
    if kind < 0.9:
        return f"{rng.choice(PEOPLE)} {rng.choice('ABCDEFGHJKLMNPRSTW')}. {rng.choice(SURNAMES)}"
    return f"{rng.choice(PEOPLE)} {rng.choice(SURNAMES)}-{rng.choice(SURNAMES)}"


def place(rng: random.Random) -> str:
    """A city, sometimes an invented one."""
    return invented(rng) if rng.random() < 0.25 else rng.choice(CITIES)


def date(rng: random.Random) -> str:
    """A date in one of several usual forms."""
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1950, 2029)
    forms = (f"{day} {month} {year}", f"{month} {day}", f"{day} {month}", f"{month} {year}", f"{month} {day}, {year}", f"{year}")
    return rng.choice(forms)


def code(rng: random.Random) -> str:
    """An order number or id such as 'KX-4821' or '77310'."""
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 6)))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}", digits, f"#{digits}", f"{digits}-{letters}"))


def word(rng: random.Random) -> str:
    """An everyday lower-case word, sometimes an invented one."""
    pool = rng.choice((FOOD, ANIMALS, THINGS, COLOURS, JOBS))
    return rng.choice(pool) if rng.random() < 0.85 else invented(rng).lower()
