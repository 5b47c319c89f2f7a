"""Sentences of many kinds of news with slots for names, written by hand; extraction is learnt on them."""

from __future__ import annotations

from localtune.base.corpus.tasks.grammar import phrases

# Slots are kind and number: person, company, place, date, product. `{job}` is drawn by the grammar and is no entity.
MORE_FRAMES = phrases("""
{company1} [plans|wants|has decided] to close its [plant|branch|warehouse] in {place1}.
Shares of {company1} [fell|rose|jumped] after {company2} [left the market|lowered its prices|named a new chief].
{person1}, head of {company1}, [sees|fears|expects] [hard times|a good year|more trade] in {place1}.
In {place1} and {place2}, {company1} [tests|sells|rents out] {product1}.
{person1} and {person2} [play|sing|speak] in {place1} [tonight|again|for the first time].
The {place1} office of {company1} [is looking for|has hired|trains] [engineers|young people|forty new workers].
{company1} pays {person1} for [damage|a patent|years of silence].
[Yesterday|On Friday|Last night], {person1} [beat|thanked|interviewed] {person2} in {place1}.
From {date1}, {company1} will fly from {place1} to {place2}.
[Reporters|Neighbors|Students] in {place1} asked {person1} about {company1}.
{person1}'s new {product1} [won a prize|drew a crowd|went on show] in {place1}.
{company1} [called back|stopped making|now also makes] {product1} on {date1}.
[A judge|The council|A jury] in {place1} [freed|fined|heard] {person1} on {date1}.
{person1} left {company1} to [work for|lead|advise] {company2}.
{company1}, {company2} and a school in {place1} [study|test|collect] {product1}.
[After|Despite] a fire in {place1}, {company1} [keeps|stopped] [all its jobs|its production].
{person1} drove from {place1} to {place2} in a [van|truck|small car] of {company1}.
{person1} [wrote to|called|wants to meet] {person2} about {product1} from {company1}.
The [bridge|station|library] of {place1}, built by {company1}, opened on {date1}.
[Sales of|Prices for|Orders of] {product1} [doubled|fell] at {company1}[, said {person1}|, the firm said|].
{person1} was seen in {place1} with {person2}[ of {company1}| and a large dog|].
"[We are proud|It was a mistake|Now we can grow]," said {person1} of {company1}.
{place1}: {person1} [opens|closes|paints] the old town hall.
{company1} from {place1} [delivers|gives|lends] {product1} to {company2}.
[Born|Raised] in {place1}, {person1} moved to {place2} on {date1}.
{person1} [teaches|studies|cooks] in {place1}; {person2} does the same in {place2}.
[The singer|The writer|The doctor|The minister] {person1} [arrived in|left|praised] {place1}.
{company1} has sold its [shops|share|building] in {place1} to {company2}.
Between {place1} and {place2}, {company1} [builds|runs|repairs] a [railway|road|cable].
[More than|About] {number} people came to {place1} to hear {person1}.
{person1} owns {number} percent of {company1}.
{company1} [earned|lost|spent] {number} million with {product1} [last year|so far|in {place1}].
[The team from|Players from] {place1} lost to {place2} on {date1}.
{person1} ({company1}) and {person2} ({company2}) signed the papers in {place1}.
Guests from {place1}, {place2} and other towns [thanked|met|cheered] {person1}.
[Who|Nobody knows who] bought {company1}? [Perhaps|Some say] {company2}, says {person1}.
{person1} has [stolen|returned|found] {product1} [worth|for] {number} dollars in {place1}.
It is {date1}, and {person1} still waits for {product1} ordered from {company1}.
[The founders|The lawyers] {person1} and {person2} [argue|agree] about {company1}.
[Trains|Ferries|Buses] from {place1} to {place2} [run late|are full|are free today].
""")
