"""Praise, written by hand: whole sentences by subject, and words for the grammar of `reviews`."""

from __future__ import annotations

from localtune.base.corpus.tasks.grammar import phrases

ANY = phrases("""
I love it / I adore it / I really like it / Love it so much / I am very happy with it / Could not be happier / I am delighted
Simply wonderful / Just great / Absolutely brilliant / Truly excellent / Pure joy / A real treat / What a find / A little gem
Exceeded all my expectations / Far better than I expected / Better than I dared to hope / Even better than the first one
Not bad at all / Not a single complaint / Nothing to complain about / I can't fault it / I have no regrets / Never disappoints
I was skeptical at first, but now I am a fan / I had my doubts, and I was wrong / Expected little and got a lot / It made my day
It put a smile on my face / It won me over / It is worth every cent / Worth the wait / Money well spent / Highly recommended
I recommend it to everyone / I told all my friends about it / Would do it again in a heartbeat
I would give it six stars if I could / Five stars without a doubt / Ten out of ten / A solid nine out of ten / Top marks
Hats off / Two thumbs up / Chapeau / Bravo / Well done / Keep up the good work / Thank you for making this
This is how it is done / Hard to beat / Second to none / Best in its class / In a league of its own / A cut above the rest
The best I know by far / It ticks all the boxes / It hits the spot / Right up my street / It hit the nail on the head
Like a dream come true / I can't live without it / I can't get enough of it / I want more / I'm hooked / I'm in love
I'm over the moon / Count me in / Everything was perfect / Everything went smoothly / It all went like clockwork
No problems whatsoever / Everything as promised / Great value / Fair price and great quality / A bargain
Cheap and cheerful in the best sense / You get a lot for your money / A breath of fresh air / A pleasant surprise
What a lovely surprise / A delight from start to finish / Nothing short of superb / You won't regret it / You have to try it
Do yourself a favor and get it / Don't think twice / Go for it / Don't miss it / I keep coming back to it
It grew on me day by day / It turned me into a fan / If in doubt, take it / Nothing comes close / Some things are simply right
Honestly impressive / I was blown away / I was moved / I am impressed / It warms my heart / It brightened a grey week
My whole family loves it / Even my picky sister liked it / My kids are thrilled / My husband wants one too / Grandma approves
""")
PRODUCT = phrases("""
Works like a charm / Works perfectly / It does exactly what it says / It just works / Runs smoothly from day one / Works a treat
Still going strong after three years / Lasts for ages / Built like a tank / Solid and sturdy / Feels like real quality
Very well made / Beautifully made / The finish is flawless / Light, strong and handsome / Looks even better than in the pictures
Fits like a glove / Fits perfectly / So comfortable / Soft and warm / Comfy all day long / The size is just right / Easy to use
So easy to set up / Set up in two minutes / Even my father could install it / Simple to clean / A child can use it
Arrived a day early / Fast delivery and well packed / Came quickly and in perfect shape / Shipping was super fast
The battery lasts forever / The battery holds for days / Charges in no time / The screen is bright and sharp
The sound is rich and clear / It saves me an hour every day / It changed my mornings / I use it every single day
I don't know how I managed without it / I bought a second one / I ordered three more as gifts / Already my second pair
I would buy it again at once / I'd buy it again tomorrow / Customer service was friendly and quick
The seller answered within an hour / They replaced a part for free, great service / No more cold coffee for me
Finally one that does not leak / Finally a pair that holds / It never lets me down / Never failed me once / Quiet as a mouse
Hardly makes a sound / Sharp as a razor / Strong as an ox / Stays cool even after hours / Cleans in seconds
The zip glides like butter / No more tangled cables / The lid closes tight / The blade cuts like day one
It charges overnight and lasts the week / A clever design / Thoughtful details everywhere / The colors are gorgeous
Stylish and practical / A real eye-catcher / Worth the higher price / It survived two drops without a scratch
It outlived its rivals / It beats models twice the price / You can feel the craft in it / Does the job and does it well
Everything I needed and more / The app is a pleasure / Updates make it better every month
""")
FILM = phrases("""
A masterpiece / An instant classic / A gem of a film / One of the best films of the year / A triumph / A feast for the eyes
I laughed until I cried / I was on the edge of my seat / I cried, I laughed, I clapped / Not a dull moment / The time flew by
It kept me guessing to the end / I could not look away / I did not want it to end / I could watch it again right now
It stayed with me for days / The acting is superb / The lead carries every scene / The whole cast shines / What a performance
The villain steals the show / A moving, honest story / Clever, warm and funny / Witty dialogue and real heart
The script sparkles / Sharp writing throughout / The ending gave me chills / A perfect ending / The twist is genius
The music is stunning / The pictures are breathtaking / Beautifully shot / Tight, tense and brilliant
Thrilling from the first minute / Tender without being sweet / Bold and original / It deserves every award
Best thing I saw in years / Go and see it / See it on the biggest screen you can find / A must-see
Funny in all the right places / My kids sang all the way home / A warm hug of a movie / It has charm to spare
It earns every tear / A page-turner / I read it in one night / I could not put it down / The characters feel like friends
Every chapter is a pleasure / I wish I could read it again for the first time / The author knows how to tell a story
Rich, wise and full of life / It spoke to me / The child actor is a wonder / It made an old story new
The chase through the market is unforgettable / Every frame could hang on a wall / Far from boring
There is no weak scene in it / Never loses its pace / Smart but never cold / It takes your breath away
""")
RESTAURANT = phrases("""
The food was delicious / The best soup I ever had / Mouth-watering / Every dish was a hit / Fresh, tasty and plenty of it
The pasta was heavenly / The fish melted on the tongue / The bread alone is worth the trip / Dessert to die for
The cake was divine / The staff could not have been nicer / Our waiter was charming / Warm welcome, warm bread, warm hearts
Service with a smile / Quick and kind service / We felt at home at once / We will be back / We'll be back very soon
Already booked again / Our new favorite place / My go-to place now / Cozy room and lovely music / The view was gorgeous
A hidden gem / Great place for a date / Kids are truly welcome / Big portions, small bill / Fair prices
You leave full and happy / Licked my plate clean / I am still dreaming of the dumplings / The cook knows what she does
Spiced just right / Cooked to perfection / Crisp outside, tender inside / The coffee was excellent
They even made something special for my allergy / They treated us like family / A perfect evening / Nothing was too much trouble
Best pizza in town / The curry was out of this world / Simple food done right / You can taste the love / Yum
So good I went twice / The broth had depth / The lamb fell off the bone / They remembered my name
The menu is small and every dish counts / The terrace under the lime trees is magical / I would cross the city for that stew
The wine list is a joy / Even the salad was exciting / Clean, bright and friendly
""")
HOTEL = phrases("""
The room was spotless / Spotlessly clean / The bed was heaven / I slept like a baby / Slept like a log
Best night's sleep in months / The view took our breath away / Woke up to the sound of the sea
Right by the station and still quiet / Perfect location / The staff went the extra mile / Friendly people at the desk
They carried our bags and our worries / Nothing but smiles / Breakfast was a feast / The breakfast was plentiful and fresh
The pool was lovely / The garden is a small paradise / We did not want to leave / We stayed two days longer
Our home away from home / We have already booked for next year / They upgraded us for free / Late check-out was no problem
Fast wifi and strong showers / Soft towels and good coffee in the room / Great for families
Charming old house with modern comfort / A place to rest and forget the clock / Worth every penny of the price
The host gave us fresh cherries from her tree / The sauna was a dream / Silence, stars and a soft bed
They thought of everything / Quiet rooms, kind hosts / We were spoiled from morning to night / Better than the pictures
A perfect honeymoon / Simply relaxing
""")
TWEET = phrases("""
omg this is amazing / obsessed!! / sooo good / this slaps / absolute banger / best day ever / lovin it / LOVE LOVE LOVE / yesss
so happy rn / made my whole week / can't stop smiling / finally some good news / feeling blessed / what a time to be alive
we did it!! / so proud of you all / just wow / this rocks / this is fire / pure magic / goosebumps / chef's kiss
10/10 would recommend / take my money / shut up and take my money / thank you thank you thank you / you guys rock / big fan
huge thanks to the team / props to the driver / shout out to the lovely crew / sunshine and coffee, life is good
got the job!!! / passed my exam woohoo / my team won yay / new song on repeat / can't wait for tonight / never been happier
this game is so much fun / that concert was unreal / best birthday ever / i needed that laugh / worth the hype / legend
so sweet of you / this made me smile / happy tears / heart is full / totally worth it / that was epic / awesome sauce
nailed it / dancing in the kitchen / best pizza ever / so glad we came / got the last ticket!! / my cat is the cutest
hugs to everyone / long live this band / sleep was soooo good / great start to the weekend / love this weather
puppy came home today / feeling great after my run / yummy lunch / good vibes only
""")
ADJECTIVES = phrases("""
great / good / excellent / wonderful / lovely / superb / perfect / fantastic / brilliant / amazing / fine / splendid
delightful / terrific / charming / impressive / outstanding / beautiful / top-notch / first-class / flawless / fabulous
marvelous / very good / really good / awesome / stunning / pleasant / remarkable / solid / reliable / clever / remarkably good
a joy / a pleasure / spot on / better than ever / worth it / not bad at all
""")
TAGS = phrases("""
#love / #happy / #blessed / #bestday / #win / #yay / #grateful / #fun / #recommended / #perfect / #goodvibes / #fan / #wow
#thankyou
""")
SMILEYS = phrases(":) / :-) / :D / <3 / !!! / ! / ;) / \\o/ / 😊 / ❤️ / 😍 / 🎉 / 👍")
MORE_ADJECTIVES = phrases("""
accurate / adorable / affordable / agile / appealing / attentive / authentic / balanced / bold / breathtaking / bright / brisk
calm / captivating / caring / cheerful / classy / clean / comfortable / comfy / compelling / considerate / convenient
convincing / courteous / cozy / creamy / crisp / cute / dazzling / decent / delicate / delicious / dependable / divine / durable
dynamic / eager / earnest / easy / effective / efficient / elegant / enchanting / engaging / enjoyable / entertaining / exciting
exquisite / fair / faithful / fast / favorite / festive / flavorful / fresh / friendly / fun / funny / generous / gentle
genuine / gifted / glorious / gorgeous / graceful / gripping / handsome / handy / happy / harmonious / healthy / heartfelt
heartwarming / helpful / honest / hospitable / hilarious / ideal / imaginative / incredible / ingenious / innovative / inspired
inspiring / intelligent / intuitive / inviting / joyful / juicy / kind / lively / loyal / luxurious / magical / magnificent
masterful / memorable / mesmerizing / mild / modern / moving / neat / nice / nimble / noble / original / patient / peaceful
phenomenal / playful / polished / polite / powerful / practical / precise / premium / prompt / pretty / priceless / pure / quick
radiant / refined / refreshing / relaxing / rewarding / rich / robust / romantic / roomy / safe / satisfying / sensational
sharp / silky / sincere / skillful / sleek / smart / smooth / snug / soothing / spacious / sparkling / speedy / spotless
stable / steady / strong / stylish / sublime / suspenseful / sweet / tasty / tender / thoughtful / thrilling / tidy / timeless
tough / touching / trustworthy / unforgettable / unique / useful / valuable / versatile / vibrant / warm / welcoming
well-built / well-made / well-paced / well-written / witty / worthy / yummy
""")
NOUNS = phrases("""
treasure / dream / winner / hit / jewel / success / blessing / bargain / marvel / pearl / beauty / comfort / relief / highlight
favorite / sensation / joy / work of art / piece of magic / good choice / good deal / great help / pleasant surprise
crowd-pleaser / life saver / must-have / keeper / real upgrade
""")
VERBS = phrases("""
shines / delights / impresses / excels / delivers / sparkles / charms / convinces / inspires / pleases / wins / works wonders
amazes / glows / keeps its promise / holds up well / never fails / makes me happy / saves time / feels right
surprised us in the best way / beats the rest / deserves praise / lasts and lasts / does its job beautifully
runs without a hitch / makes life easier / brings joy / rises above the rest / feels luxurious / comes highly recommended
""")
ADVERBS = phrases("""
beautifully / perfectly / wonderfully / smoothly / nicely / flawlessly / superbly / remarkably well / very well / brilliantly
kindly / with great care / like a dream
""")
