"""Powers of heroes: what they can do, and what happens when they do it; written by hand."""

from __future__ import annotations

from localtune.base.corpus.tasks.grammar import phrases

# Noun phrases, as in "18, woman, invisibility".
POWER_NOUNS = phrases("""
invisibility / flight / telepathy / super strength / super speed / mind reading / time travel / shape shifting / teleportation
telekinesis / healing hands / night vision / x-ray vision / fire breath / ice breath / control of the weather / control of water
control of fire / control of metal / control of plants / control of sand / control of shadows / control of light
control of sound / control of dreams / control of magnets / control of electricity / control of gravity / talking to animals
talking to machines / talking to trees / talking to ghosts / elastic arms / stone skin / steel fists / laser eyes
a voice that breaks glass / endless luck / perfect memory / perfect aim / perfect hearing / a sixth sense / shrinking
growing to the size of a house / walking through walls / walking on water / breathing under water / climbing smooth walls
sticking to ceilings / floating / gliding / becoming smoke / becoming liquid / becoming a cat / becoming a bird
becoming a wolf / copying himself / making copies of things / stopping time / slowing time / seeing the future
seeing through lies / seeing in the dark / smelling danger / sensing earthquakes / hearing thoughts / hearing from miles away
moving objects by thought / bending spoons / opening every lock / finding lost things / turning lead into gold
turning stone into bread / turning water into ice / turning sand into glass / turning anger into calm / making people laugh
making people sleep / making rain / making snow / making rainbows / making plants grow / making shields of air
making bridges of light / throwing lightning / throwing fireballs / catching bullets / force fields / waking the dead leaves
calming storms / calming wild animals / taming dragons / riding the wind / riding on clouds / singing people to sleep
painting things to life / knitting armor in seconds / cooking anything in a second / speaking every language
reading a book in a minute / learning by touch / forgetting nothing / lifting trucks / jumping over towers / running on water
digging through rock / spinning webs / wings of feathers / wings of steel / a tail like a whip / claws of diamond
eyes on the back of the head / skin that changes color / hair that moves like hands / a third arm / a magic rope
a shield that returns / a hammer of thunder / a cloak of night / boots of seven miles / a lamp with a genie
a flute that moves stones / a mirror to other worlds / a bag without a bottom / growing back lost limbs / never getting tired
never feeling cold / never growing old / surviving without air / living in fire / living in outer space / creating illusions
erasing memories / sharing pain / lending strength to others / giving hope / sensing feelings / reading the past of objects
predicting the weather / tracking by smell / sonar like a bat / poison touch / bubbles that trap villains / freezing puddles
melting locks / glowing in the dark / summoning bees / summoning whales / leading birds / commanding ants
growing giant vegetables / sewing up wounds / silence around her / echo punches
control of ice / control of fog / control of wood / control of glass / control of paper / control of ink / control of clocks / control of tides
control of bridges / control of traffic lights / control of rust / control of bees / control of vines / control of salt / control of smoke
a shadow with a will of its own / a laugh that lifts the heart / a scream that stops trains / a whistle that calls dolphins / a touch that mends glass
a stare that melts snow / a clap like thunder / a hat full of storms / a coat of mirrors / a pencil that draws real things / gloves of lightning
shoes that leave no trace / glasses that show the past / a ring that slows the heart / an umbrella that stops bullets / a kite that carries people
a pocket full of night / feet of rubber / bones of iron / fingers of wire / lungs like balloons / ears like radar / a nose for treasure / an iron will
becoming a fish / becoming a tree / becoming a shadow / becoming paper-thin / becoming as light as a feather / becoming as heavy as a mountain
trading places with anyone / walking on ceilings / walking on moonbeams / swimming through earth / diving into pictures / stepping into mirrors
entering dreams / leaving no footprints / healing animals / healing broken hearts / healing rivers / cooling volcanoes / lighting lamps from afar
rewinding a single minute / living each day twice / counting anything at a glance / solving every riddle / winning every race / finding every path
never missing a note / never losing a game of chess / knowing every name / knowing what time it is anywhere / guessing passwords / reading maps in the dark
folding space / bottling sunshine / borrowing wings / weaving moonlight / planting forests overnight / whispering to horses / waking volcanoes
juggling fire / sculpting clouds / tuning into radio waves / printing copies of things by hand / throwing a voice across the sea / building robots from scrap
""")
# Verb phrases after "can".
POWER_VERBS = phrases("""
fly / become invisible / read minds / lift a train / run faster than sound / heal wounds / speak with animals
breathe under water / walk through walls / stop time / see the future / change shape / control fire / freeze rivers
move things by thought / jump over houses / turn into a wolf / turn into smoke / shrink to the size of an ant
grow as tall as a tower / hear a whisper across the city / see in the dark / throw lightning / call the rain / calm a storm
open any door / find anything lost / speak every language / learn a skill by touch / remember everything / multiply
glow like a lamp / stretch his arms for miles / climb glass towers / swim like a shark / dig like a mole / smell a lie
bend steel / catch arrows / survive in space / sing a city to sleep / paint doors that open / make flowers grow in winter
build walls of ice / steer the wind / talk to machines / wake up statues / share dreams / slow down time / see through stone
spin a web of light / juggle stars
borrow the strength of trees / hold a breath for a day / melt ice with a look / stop a clock by winking / hear plants grow / run up waterfalls
ride lightning / fold metal like paper / hide in a shadow / stay awake for a year / empty a lake in one go / whistle down the moon / silence a crowd
""")
DEEDS = phrases("""
saved a bus full of children from a bridge / stopped a robbery at the old bank / found a lost boy in the mountains
put out the fire in the harbor / brought a stolen painting back to the museum / warned the town of the flood
led a ship through the fog / caught the thief of the night market / held up the falling tower
freed the prisoners of the iron castle / fed a hungry village / carried an old man home / tamed the dragon of the north
cured the king's daughter / won peace between two towns / repaired the broken dam / brought light to the dark valley
chased the shadow gang out of town / rescued a cat from the roof / ended the long winter / found water in the desert
beat the giant without a blow / stopped the runaway train / opened the blocked tunnel / guarded the sleeping city
returned the stolen bells
""")
ORIGINS = phrases("""
after a storm at sea / when a comet fell into the garden / through an old ring / because of a failed experiment
on a night without a moon / after a bite of a strange fruit / as a gift of a forest spirit / after a long illness
by drinking from a hidden well / in a laboratory fire / on a school trip to a cave / during an eclipse
after touching a glowing stone / from a grandmother with the same gift / by pure chance
""")
DAY_JOBS = phrases("""
works in a bakery / studies at night / repairs clocks / drives a tram / teaches at a small school / sells flowers
sorts letters at the post office / plays the violin / helps in a library / fishes in the bay / cares for old people
paints houses / writes for a paper / bakes bread before dawn / keeps bees / cleans windows / still goes to school
is retired and grows roses / works as a nurse / codes from home
""")
TRAITS = phrases("""
brave / shy / cheerful / quiet / stubborn / gentle / proud / clever / lonely / funny / patient / curious / restless / kind
careful / dreamy / honest / modest / bold / calm / warm-hearted / quick-witted / loyal / serious
""")
WEAKNESSES = phrases("""
is afraid of spiders / loses the power in the rain / needs much sleep / cannot swim / faints at the sight of blood
is weak without sunlight / can't say no to chocolate / is allergic to cats / trusts people too easily
gets dizzy in high places / is helpless when hungry / has no sense of direction / can use the gift only at night
forgets names all the time / fears thunder / misses home
""")
PLACES = phrases("""
a small town by the sea / a noisy big city / a village in the hills / a village in the north / a floating city / a harbor town
a town at the edge of the desert / an old castle / a mountain village / the suburbs / a lighthouse / a city under the ice
a train that never stops / a forest full of lights / a quiet street near the station / a planet with two suns
""")
HERO_FIRST = phrases("""
Captain / Doctor / Professor / The Amazing / The Silent / The Golden / The Silver / The Red / The Blue / The Invisible
The Mighty / The Last / Little / Night / Storm / Star / Thunder / Shadow / Solar / Iron / Crystal / Cosmic / Desert / Ocean
Forest / Winter / Flame / Ice / Wind / Stone / Moon / Sun / Electric / Turbo / Sonic / Magnetic / Velvet / Quick / Brave / Green
Black / White / Ghost / Sky / River / Copper
""")
HERO_LAST = phrases("""
Falcon / Fox / Wolf / Panther / Owl / Raven / Tiger / Bear / Hawk / Lynx / Swan / Moth / Spark / Shield / Hammer / Arrow / Blade
Wave / Comet / Star / Ray / Echo / Whisper / Storm / Flame / Frost / Mist / Shade / Light / Dancer / Runner / Rider / Walker
Watcher / Keeper / Guardian / Hunter / Dreamer / Singer / Smith / Weaver / Healer / Pilot / Wonder / Mind / Heart / Fist / Hand
Eye / Wing / Claw / Phantom / Titan / Giant / Knight / Mirror / Clock
""")
