"""Blame, written by hand: whole sentences by subject, and words for the grammar of `reviews`."""

from __future__ import annotations

from localtune.base.corpus.tasks.grammar import phrases

ANY = phrases("""
I hate it / I really dislike it / I can't stand it / I am not happy with it / I am very disappointed / What a letdown
Such a disappointment / Simply awful / Just terrible / Absolutely dreadful / Truly bad / Pure frustration / A real pain
What a mess / A complete disaster / Did not meet my expectations / Far worse than I expected / Much worse than the first one
It fell short in every way / Expected a lot, got little / Not good at all / Nothing good to say about it / I regret every cent
I want my money back / Never again / Once and never again / I wanted to like it, but I couldn't
I had high hopes, and they were crushed / It looked so promising and then it failed / It ruined my day / It drove me mad
It got on my nerves / It left me cold / Hardly worth it / Not worth the wait / Money down the drain / I can't recommend it
I would not recommend it to anyone / I warned all my friends / Stay away / Steer clear / Avoid / Hands off / Save your money
I would give it zero stars if I could / One star is too much / Two out of ten / A weak three out of ten / No stars from me
Shame on them / Two thumbs down / Thanks for nothing / They should be ashamed / Somebody should apologise
This is not how it is done / Easy to forget / Second-rate / Worst in its class / The worst I know by far / Below every standard
It could hardly be worse / It fails on every count / It misses the point / Not my cup of tea / It leaves a lot to be desired
A far cry from what they promised / A bad dream / I gave up / I have had enough / I'm fed up / I'm done / I'm furious
I'm so annoyed / Count me out / I lost all patience / Nothing worked / Everything went wrong / One problem after another
Nothing but trouble / Nothing as promised / They broke every promise / Overpriced / Far too expensive for what it is / A rip-off
You pay a lot and get little / Cheap, and it shows / A waste of time / A waste of money / A bad joke / What a nasty surprise
A pain from start to finish / Nothing short of a scandal / You will regret it / Don't bother / Don't buy into the hype
Think twice / Do yourself a favor and skip it / Look elsewhere / Keep walking / Honestly shocking / I was let down
I was bored to tears / I am not impressed / It makes me sad / It spoiled a good week / My whole family hated it
Even my patient sister complained / My kids cried / My husband sent it back / Grandma was not amused
""")
PRODUCT = phrases("""
Broke after two days / It stopped working within a week / Dead on arrival / It never worked properly / Fell apart in my hands
Died on me / Lasted less than a month / Built like a toy / Flimsy and weak / Feels like cheap plastic
The handle came off at once / Badly made / The seams are already open / Scratched out of the box / Heavy, ugly and clumsy
Looks nothing like the pictures / Does not fit at all / Two sizes too small / So uncomfortable / Stiff and scratchy
My feet hurt after ten minutes / The size is way off / Hard to use / Took me three hours to set up / The manual is useless
Impossible to clean / You need a degree to switch it on / Arrived two weeks late / The box was crushed / Parts were missing
Came late and in pieces / Still waiting for the delivery / They sent the wrong one / The battery dies within an hour
The battery won't hold / Takes forever to charge / The screen flickers / The sound is thin and tinny
It costs me an hour every day / It makes everything harder / It stands unused in the cupboard / I threw it away
It went straight into the bin / I sent it back / I asked for a refund / Returned it the same day / The second one failed too
I would not buy it again / I'd never buy it again / Customer service never answered / The seller ignored my mails
They refused to refund me / Nobody picks up the phone / Rude support / It leaks / It leaked all over my bag
It rusts after the first rain / It shuts down for no reason / It lets me down every time / Crashes all the time / Loud as a jet
It rattles and squeaks / Blunt as a spoon / Weak as water / Gets burning hot / Smells of chemicals / Smells awful
The zip stuck on day one / The cable is far too short / The lid never closes / The blade was dull from the start
It charges all night and dies by noon / A stupid design / No thought in the details / The colors washed out at once
Ugly and impractical / Not even worth the low price / One small drop and it cracked / Rivals at half the price do better
You can feel where they saved / It tore on the first day / Does not do the job / Nothing I needed was in it
The app is a nightmare / Every update makes it worse / The warranty means nothing
""")
FILM = phrases("""
A disaster of a film / An instant dud / A turkey / One of the worst films of the year / A flop / An insult to the eyes
I fell asleep / I looked at my watch every five minutes / I walked out after an hour / Not one good joke
Two hours I will never get back / You see the end coming after ten minutes / I could not care less / I was glad when it was over
I would not watch it again for money / Forgotten the next day / The acting is wooden / The lead sleepwalks through every scene
The whole cast looks bored / What a poor performance / The villain is laughable / A hollow, silly story
Stale, cold and unfunny / Clumsy dialogue and no heart / The script is full of holes / Lazy writing throughout
The ending makes no sense / A stupid ending / The twist is ridiculous / The music is unbearable / The pictures are dull
Badly shot / Slow, long and pointless / Boring from the first minute / Sweet as syrup and just as sticky / Flat and predictable
It deserves no award / Worst thing I saw in years / Don't go / Wait until it is free, and even then skip it / A must-miss
Not funny at all / My kids were bored stiff / A cold shower of a movie / It has no charm at all / Every tear is forced / A slog
I gave up after fifty pages / I had to force myself to finish / The characters are made of paper / Every chapter drags
I wish I had never opened it / The author has nothing to say / Thin, vain and full of clichés / It did nothing for me
Anything but exciting / There is no good scene in it / It loses its way / Neither smart nor fun / It wastes a good idea
""")
RESTAURANT = phrases("""
The food was awful / The worst soup I ever had / Tasteless / Every dish was a miss / Stale, bland and too little of it
The pasta was overcooked / The fish smelled / The bread was dry as dust / Dessert was a joke / The cake was frozen in the middle
The staff were rude / Our waiter ignored us / Cold welcome, cold soup, cold plates / Service without a smile
We waited an hour for the menu / We felt like a bother / We won't be back / We will never come back / Left before dessert
Off my list for good / I'd rather starve / Cramped room and deafening music / The view was a parking lot / A tourist trap
Terrible place for a date / Kids are not welcome / Tiny portions, huge bill / Shameless prices / You leave hungry and poor
I left half of it / I was sick all night / The cook should find another job / Far too salty / Burnt on the outside, raw inside
Greasy and limp / The coffee was undrinkable / They did not care about my allergy / They treated us like thieves
A ruined evening / Everything was too much trouble for them / Worst pizza in town / The curry had no taste at all
Simple food done wrong / Straight from the microwave / Yuck / There was a hair in my soup
I would not cross the street for that stew / The wine was sour / Even the salad was sad / Dirty tables and sticky floor
""")
HOTEL = phrases("""
The room was filthy / Hair in the sink and dust on the lamp / The bed was a torture / I did not sleep a wink
Hardly slept at all / Worst night in months / The view was a brick wall / Woke up to the sound of drills
Right by the motorway and never quiet / Far from everything / The staff could not be bothered / Unfriendly people at the desk
They lost our booking / Nothing but excuses / Breakfast was a sad affair / The breakfast ran out at eight / The pool was closed
The garden is a rubbish heap / We could not wait to leave / We left a day early / We moved to another hotel
We have already warned our friends / They charged us twice / Check-in took two hours / No wifi and cold showers
Thin towels and a broken kettle in the room / Not for families / A run-down house that smells of damp / Mold in the bathroom
Not worth half of the price / The lift was broken all week / The walls are made of paper / The sauna was a cold cupboard
They forgot our wake-up call / The carpet had seen better days / Noisy rooms, grumpy hosts
We were ignored from morning to night / Nothing like the pictures / A spoiled honeymoon / Simply stressful
""")
TWEET = phrases("""
ugh this is awful / so done!! / sooo bad / this sucks / absolute garbage / worst day ever / hatin it / NO NO NO / nooo
so sad rn / ruined my whole week / can't stop crying / more bad news / feeling sick / what a miserable day / we lost again
so ashamed of this team / just ugh / this stinks / this is trash / pure nonsense / headache / epic fail
0/10 would not recommend / give me my money back / smh / no thanks / you guys messed up / never flying with them again
still no reply from support / stuck in traffic for two hours / missed my bus again / rain and no coffee, great start not
lost my job today / failed my exam / my team lost again / same sad song / dreading monday / never been so angry
this game is so boring / that concert was a letdown / worst birthday ever / i need a break from all this / not worth the hype
clown show / so rude / this made me cry / sad tears / heart is broken / totally not worth it / that was a mess / weak sauce
they blew it / terrible start to the weekend / hate this weather / my phone died again / feeling awful after that lunch / yuck
bad vibes all day / wifi down again / my flight got cancelled / third delay today / miss my dog so much / so tired of this
can't sleep again / everything hurts
""")
ADJECTIVES = phrases("""
bad / terrible / awful / poor / horrible / dreadful / useless / disappointing / mediocre / weak / boring / dull / annoying
lousy / nasty / cheap / unpleasant / faulty / ugly / third-rate / below average / full of flaws / miserable / very bad
really bad / pathetic / a mess / a pain / a shame / hopeless / clumsy / unreliable / silly / remarkably bad / a nuisance
way off / worse than ever / hardly worth it / not good at all / nothing special
""")
TAGS = phrases("""
#fail / #sad / #angry / #worstday / #never / #ugh / #disappointed / #boring / #notrecommended / #refund / #badvibes / #tired
#nope / #help
""")
SMILEYS = phrases(":( / :-( / :/ / >:( / !!! / ... / ! / 😞 / 😡 / 💔 / 👎 / 😭")
MORE_ADJECTIVES = phrases("""
absurd / aggressive / amateurish / appalling / arrogant / atrocious / average at best / awkward / baffling / bitter / bizarre
bland / bleak / bloated / blurry / broken / brittle / buggy / bumpy / burnt / careless / chaotic / charmless / cheesy / cold
confusing / contrived / corny / cracked / cramped / creaky / crooked / crude / cruel / damaged / damp / dated / defective
dented / depressing / derivative / difficult / dingy / dirty / disastrous / disgusting / dishonest / dismal / disorganized
distasteful / dodgy / draining / dreary / dry / dumb / embarrassing / empty / endless / erratic / exhausting / expensive / fake
feeble / filthy / flat / flawed / flimsy / forced / forgettable / foul / fragile / frustrating / garish / generic / ghastly
gloomy / greasy / grim / grubby / gross / grumpy / half-baked / harsh / hollow / horrid / hostile / impersonal / impolite
inaccurate / incoherent / incompetent / inconsistent / inconvenient / indifferent / inedible / inept / inferior / insulting
irritating / jarring / lame / late / lazy / leaky / lifeless / limp / lukewarm / manipulative / meaningless / mean / messy
mind-numbing / misleading / moldy / monotonous / muddled / murky / noisy / obnoxious / obsolete / odd in a bad way / offensive
outdated / overcooked / overpriced / overrated / painful / patchy / petty / plodding / pointless / predictable / pretentious
rancid / repetitive / repulsive / ridiculous / rigid / rotten / rough / rude / rusty / sad / scandalous / shabby / shaky
shallow / shameful / shoddy / slimy / sloppy / slow / smelly / soggy / sour / stale / sticky / stiff / stingy / stressful
stuffy / stupid / tacky / tasteless / tedious / thin / tiresome / toxic / trashy / troublesome / ugly / unacceptable
unbearable / uncomfortable / underwhelming / uneven / unfair / unfinished / unfriendly / unfunny / unhelpful / uninspired
unoriginal / unprofessional / unsafe / unusable / unwelcoming / vile / vulgar / wasteful / watery / wobbly / wooden / worn-out
worthless / wretched / wrong
""")
NOUNS = phrases("""
nightmare / failure / flop / joke / trap / swindle / insult / chore / headache / letdown / burden / eyesore / dud / disaster
mistake / shambles / lemon / fraud / waste of space / piece of junk / bad choice / bad deal / lot of trouble / nasty surprise
bore / time waster / money pit / big step back / missed chance
""")
VERBS = phrases("""
fails / disappoints / bores / annoys / falls apart / stinks / drags / irritates / lets you down / loses / breaks
gives me headaches / shocks / fades / breaks its promise / wears out fast / never works / makes me sad / wastes time
feels wrong / surprised us in the worst way / loses to the rest / deserves no praise / gave out at once / does its job badly
jams again and again / makes life harder / brings grief / sinks below the rest / feels cheap / cannot be recommended
""")
ADVERBS = phrases("""
badly / poorly / terribly / clumsily / carelessly / awfully / sloppily / miserably / without any care / horribly / rudely
very slowly / not at all
""")
