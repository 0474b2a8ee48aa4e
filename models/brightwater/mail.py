"""Customer mail and its ticket, and the small talk that asks only for the voice. Train and test texts are disjoint.

A ticket is {"class", "product", "urgency"}: class among CLASSES, product a name of ours or "none", urgency among
URGENCIES. The mail's purpose sets the class, the product it names the product, and one phrase the urgency.
"""

import json
import random
from typing import Final

from models.brightwater.world import PRODUCTS

CLASSES: Final = ("return", "repair", "delivery", "invoice", "wholesale", "advice", "membership", "privacy")
URGENCIES: Final = ("low", "normal", "high")
Ticket = dict[str, str]

# {n} is the product. Membership, wholesale and privacy mails name none.
_BODIES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "train": {
        "return": (
            "I would like to send back the {n}. It is unused and still in its box.",
            "The {n} is not what I expected and I want my money back.",
            "Please tell me how to return the {n}.",
            "I ordered the {n} by mistake and want to return it.",
            "My wife does not like the {n}, so we want a refund.",
            "I want to give the {n} back. Where do I send it?",
            "The {n} does not fit in my kitchen. Can I have a refund?",
            "I changed my mind about the {n} and would like to return it for a refund.",
            "My sister bought the {n} too, so one of us would like to return hers.",
            "The {n} is too heavy for me. Do you take it back?",
            "I have not opened the {n} and want my payment back.",
            "We received a second {n} as a present and wish to send one back.",
        ),
        "repair": (
            "My {n} is broken and needs a repair.",
            "The {n} stopped working this morning. Can you fix it?",
            "My {n} leaks and makes a strange noise.",
            "The {n} does not turn on any more.",
            "A part of my {n} has snapped off and I want it repaired.",
            "Please mend my {n}, it has a crack.",
            "Something inside the {n} rattles and it no longer works.",
            "The {n} is defective. How do I get it to your bench?",
            "The {n} makes a burnt smell and will not heat.",
            "Can your engineers look at my {n}? It no longer turns.",
            "The handle of my {n} came off. Please fix it.",
            "Every time I use the {n} it stops after a minute, so it must be faulty.",
        ),
        "delivery": (
            "My parcel with the {n} has not arrived yet.",
            "Where is the {n} that I ordered?",
            "The tracking link for my {n} shows nothing.",
            "When will the {n} be delivered?",
            "The driver did not bring the {n}.",
            "I am still waiting for the {n}. Has it been shipped?",
            "The delivery of the {n} is late.",
            "Please deliver the {n} to another address.",
            "I was at home all day, but nobody brought the {n}.",
            "Your driver left the {n} at the wrong house.",
            "On which day does my {n} reach me?",
            "The {n} was sent a month ago and I have not got it.",
            "Please send the {n} to my work address when it leaves.",
        ),
        "invoice": (
            "The invoice for the {n} shows the wrong amount.",
            "I need an invoice for the {n} with my tax number.",
            "I was charged twice for the {n}.",
            "Please send the bill for the {n} again.",
            "My company name is misspelt on the invoice for the {n}.",
            "I paid for the {n} but got a payment reminder.",
            "There is a mistake in the bill for the {n}.",
            "Could you split the invoice for the {n} in two?",
            "The bill for the {n} lists a price that I never agreed to.",
            "My bank shows that you took the money for the {n} two times.",
            "I cannot find the bill for my {n}; could I have it once more?",
            "The invoice for the {n} carries an old address.",
        ),
        "wholesale": (
            "We run a cafe and want to open a wholesale account.",
            "Our hotel would like to order machines for all floors.",
            "We are a retailer and ask for your trade prices.",
            "Please send us the wholesale conditions for our office.",
            "We want to buy for our restaurant in large numbers.",
            "What do we need to open a trade account with you?",
            "Our chain of shops would like to resell your goods.",
            "We are looking for a supplier for our bakery.",
            "Our school canteen wants to buy from you on trade terms.",
            "Do you offer business accounts for small bars?",
            "Our office wants a monthly bulk order.",
            "I sell coffee in three towns and would like to stock your range.",
        ),
        "advice": (
            "Which grind should I use with the {n}?",
            "Is the {n} right for a family of five?",
            "How do I clean the {n}?",
            "I cannot decide whether the {n} suits me. What do you recommend?",
            "My coffee from the {n} tastes bitter. What can I do?",
            "Which beans go well with the {n}?",
            "Can you explain how to use the {n}?",
            "What water should I use in the {n}?",
            "The {n} gives me weak coffee. What should I change?",
            "How do I keep the {n} free of oil?",
            "Would the {n} suit somebody who brews for one?",
            "Which recipe do you suggest for the {n}?",
            "How much coffee goes into the {n}?",
        ),
        "membership": (
            "I want to join your membership.",
            "Please cancel my membership.",
            "How do I change to a higher membership?",
            "My membership discount was not applied.",
            "I would like to pause my membership for a month.",
            "My membership card number does not work.",
            "Can my husband use my membership too?",
            "What happened to the points of my membership?",
            "The till did not find my membership.",
            "Where can I see what my membership has saved me?",
            "I want to leave the membership at the end of the month.",
            "I would rather have a smaller membership.",
            "Is there a membership for students?",
        ),
        "privacy": (
            "Please delete all my personal data.",
            "I want to know which data you hold about me.",
            "Remove my address from your records.",
            "I ask for a copy of my personal data.",
            "Who has access to my data at your firm?",
            "Please correct my birth date in your data.",
            "I do not agree that you store my data.",
            "Delete my account and everything you know about me.",
            "Do you sell what you know about me to others?",
            "I moved house. Where do I have my details corrected, and what else do you store?",
            "I use my right to see all the data that you keep about me.",
            "Does the driver get to see my personal data?",
            "Do you hand my name and address to the firm that brings the parcels?",
            "Please wipe my name from every system you have.",
            "For how long do you store my data?",
            "Stop sending me letters and remove me from your list.",
            "Who else can read what you store about me?",
        ),
    },
    "dev": {
        "return": ("Could I hand the {n} in again and be paid back?",),
        "repair": ("Since yesterday the {n} only hums and nothing comes out.",),
        "delivery": ("The courier lost the box that held my {n}.",),
        "invoice": ("The sum on the receipt for the {n} is not what we agreed.",),
        "wholesale": ("Our canteen serves hundreds and wants to buy from you in bulk.",),
        "advice": ("What setting suits light beans in the {n}?",),
        "membership": ("As a member I miss my rebate this month.",),
        "privacy": ("What personal information about me is on file?",),
    },
    "test": {
        "return": (
            "The {n} was a gift that I already own. May I ship it back and get refunded?",
            "After one look at the {n} I know that it is not for me; how does your refund work?",
            "I no longer need the {n}. It is sealed, and I would like to hand it back.",
            "Can the {n} be taken back? The colour clashes with my tiles, and I want my money.",
        ),
        "repair": (
            "Smoke came out of the {n} and now it is dead. Can your bench have a look?",
            "The switch on my {n} is jammed, so it must be fixed.",
            "Water drips from under the {n}, which is faulty I fear. Please repair it.",
            "My {n} fell silent in the middle of breakfast and will not start again.",
        ),
        "delivery": (
            "My neighbours got their box, but the {n} I bought never came.",
            "The courier says he was here with the {n}, yet nobody rang. Where is my package?",
            "It has been two weeks and the parcel holding the {n} is still on its way.",
            "Could the {n} be dropped at my office when it is shipped?",
        ),
        "invoice": (
            "The amount you billed for the {n} is higher than on your site.",
            "Our bookkeeper needs a corrected invoice for the {n}.",
            "My card shows two payments for one {n}; please check the bill.",
            "I lost the invoice for the {n}, and the tax office asks for it.",
        ),
        "wholesale": (
            "We are opening a coffee bar in May and ask for trade terms.",
            "Could our guest house get a business account with bulk prices?",
            "As a reseller with four stores we are interested in your wholesale range.",
            "Our firm has eighty desks and wants to order on a trade account.",
        ),
        "advice": (
            "How fine do I grind for the {n}? My cups come out sour.",
            "Would you recommend the {n} to a beginner who drinks two cups a day?",
            "What is the best way to rinse the {n} after use?",
            "Please explain which recipe works with the {n}.",
        ),
        "membership": (
            "I signed up as a member but never got a membership number.",
            "Please move me to a cheaper membership from next month.",
            "I wish to end my membership, since we move abroad.",
            "Do the points of my membership expire?",
        ),
        "privacy": (
            "Kindly erase my name and all personal data from your systems.",
            "Under the law I request a list of the personal data you keep on me.",
            "Which of my data do you pass to the courier?",
            "You wrote to an old address of mine: please remove that data.",
        ),
    },
}
_URGENCY: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "train": {
        "high": (
            "This is urgent.",
            "I need an answer today.",
            "Please reply as soon as possible.",
            "It is very urgent, please hurry.",
            "I need this solved by tomorrow.",
            "This cannot wait.",
            "It is a crisis for our family.",
            "Please act right away.",
            "Every hour counts for us.",
            "We are desperate, help us now.",
            "This is most pressing.",
        ),
        "low": (
            "I am in no haste.",
            "Take your time.",
            "It is not urgent.",
            "No rush at all.",
            "It can wait.",
            "Any day will do.",
            "Answer when it suits you.",
            "There is plenty of time.",
            "It is a small matter.",
        ),
        "normal": (
            "",
            "",
            "I look forward to your reply.",
            "Please let me know.",
            "Thank you for your help.",
            "I hope to hear from you.",
            "Thanks a lot.",
            "Can you help?",
            "Have a nice day.",
        ),
    },
    "dev": {
        "high": ("It is an emergency for us.",),
        "low": ("Whenever you find time is fine.",),
        "normal": ("Thanks in advance.",),
    },
    "test": {
        "high": (
            "Please hurry, we need this solved today.",
            "The matter is urgent, so answer at once.",
            "I must have it by tomorrow.",
        ),
        "low": ("Please take all the time you need.", "No need to hurry.", "This can wait until next week."),
        "normal": ("", "I am looking forward to hearing from you.", "Thanks for your help with this."),
    },
}
_OPENINGS: Final[dict[str, tuple[str, ...]]] = {
    "train": ("Hello,", "Dear Brightwater team,", "Hi there,", "Good morning,", "To whom it may concern,", "Hi,"),
    "dev": ("Dear sirs,",),
    "test": ("Good evening,", "Dear support,", "Hey Brightwater,"),
}
_CLOSINGS: Final[dict[str, tuple[str, ...]]] = {
    "train": ("Best, Anna", "Regards, Tom", "Kind regards, Leila", "Thanks, Marco", "Yours, J. Berger", "Cheers, Sam"),
    "dev": ("Sincerely, P. Ruiz",),
    "test": ("Best wishes, Helga", "Greetings, D. Okafor", "Bye, Lucy"),
}


def compose(rng: random.Random, split: str, cls: str | None = None) -> tuple[str, Ticket]:
    """One mail and its ticket, drawn from a split's texts ("train", "dev" or "test")."""
    cls = cls or rng.choice(CLASSES)
    urgency = rng.choice(URGENCIES)
    body = rng.choice(_BODIES[split][cls])
    product = rng.choice(PRODUCTS).name if "{n}" in body else "none"
    lines = [rng.choice(_OPENINGS[split]), body.format(n=product), rng.choice(_URGENCY[split][urgency])]
    lines.append(rng.choice(_CLOSINGS[split]))
    return "\n".join(line for line in lines if line), {"class": cls, "product": product, "urgency": urgency}


def dumps(ticket: Ticket) -> str:
    """A ticket as the model shall write it."""
    return json.dumps(ticket, ensure_ascii=False)


def texts(split: str) -> tuple[str, ...]:
    """All mail bodies and urgency phrases of a split, for the test that splits are disjoint."""
    bodies = [body for bodies in _BODIES[split].values() for body in bodies]
    return tuple(bodies + [line for lines in _URGENCY[split].values() for line in lines if line])


# -- small talk: (what is said, the reply inside the voice) ----------------------------------------------------------

TONE_TRAIN: Final = (
    ("Hello!", "How can I help you today?"),
    ("Hi there", "How can I help you today?"),
    ("Good morning!", "Good morning to you, how can I help?"),
    ("Thank you so much!", "You are very welcome."),
    ("Thanks for the quick answer.", "You are very welcome."),
    ("Goodbye!", "Have a lovely day."),
    ("See you soon.", "Have a lovely day."),
    ("I love your coffee.", "That makes our day, thank you."),
    ("Your service is great.", "That makes our day, thank you."),
    ("I am angry with you.", "I am sorry about that, please tell me what went wrong."),
    ("This is taking far too long.", "I am sorry about that, please tell me what went wrong."),
    ("Who are you?", "I am the support assistant of Brightwater Coffee Equipment."),
    ("Are you a robot?", "I am the support assistant of Brightwater Coffee Equipment."),
    ("How are you?", "I am well, thank you for asking."),
    ("Tell me a joke.", "I leave jokes to our baristas, but I gladly answer questions."),
    ("I am bored.", "A fresh cup of coffee may help."),
    ("I feel tired today.", "A fresh cup of coffee may help."),
    ("Nice weather, isn't it?", "It is always good weather for a coffee."),
    ("Merry Christmas!", "The same to you and yours."),
    ("Happy birthday, Brightwater!", "Thank you, that is kind of you."),
    ("I have a question.", "Please ask, I am glad to help."),
    ("Can you help me?", "Please ask, I am glad to help."),
    ("Sorry for the trouble.", "There is no trouble at all."),
    ("Never mind.", "That is fine, I am here if you need me."),
    ("You were very helpful.", "You are very welcome."),
    ("I will tell my friends about you.", "That makes our day, thank you."),
    ("What can you do?", "I answer questions about our products, shops and services."),
    ("Please be brief.", "I will keep it short."),
    ("Good evening to all of you", "Good evening, how can I help?"),
    ("Hey there, anyone around?", "How can I help you today?"),
    ("Warm wishes from the coast.", "How kind of you, the same to you."),
    ("Greetings!", "How can I help you today?"),
    ("Nice to meet you.", "It is a pleasure, how can I help?"),
    ("Now it runs again, thanks.", "You are very welcome."),
    ("Great, that is all I wanted to know.", "You are very welcome."),
    ("You made my day.", "That makes our day, thank you."),
    ("My kettle is my best friend.", "That makes our day, thank you."),
    ("Your packaging is beautiful.", "That makes our day, thank you."),
    ("I really like your team.", "That makes our day, thank you."),
    ("I waited on the line for an hour.", "I am sorry about that, please tell me what went wrong."),
    ("This is the worst shop ever.", "I am sorry about that, please tell me what went wrong."),
    ("The line was dead all morning.", "I am sorry about that, please tell me what went wrong."),
    ("I am sad about all this.", "I am sorry about that, please tell me what went wrong."),
    ("I have had enough of this.", "I am sorry about that, please tell me what went wrong."),
    ("Am I talking to a person?", "I am the support assistant of Brightwater Coffee Equipment."),
    ("What is your name?", "I am the support assistant of Brightwater Coffee Equipment."),
    ("Is this a machine that answers?", "I am the support assistant of Brightwater Coffee Equipment."),
    ("How is your day going?", "I am well, thank you for asking."),
    ("Did you have a good week?", "I am well, thank you for asking."),
    ("Are you ever tired?", "I am well, thank you for asking."),
    ("Do you like music?", "I leave that to our baristas, but I gladly answer questions."),
    ("Write me a poem.", "I leave that to our baristas, but I gladly answer questions."),
    ("Tell me something funny.", "I leave jokes to our baristas, but I gladly answer questions."),
    ("It is so cold outside.", "It is always good weather for a coffee."),
    ("The sun is out at last.", "It is always good weather for a coffee."),
    ("I am worn out after work.", "A fresh cup of coffee may help."),
    ("My night was short.", "A fresh cup of coffee may help."),
    ("What a long week.", "A fresh cup of coffee may help."),
    ("I missed my bus.", "I am sorry to hear that, a fresh cup of coffee may help."),
    ("I dropped my favourite mug.", "I am sorry to hear that, a fresh cup of coffee may help."),
    ("Happy new year!", "The same to you and yours."),
    ("Have a nice trip!", "The same to you and yours."),
    ("Well done on ten years!", "Thank you, that is kind of you."),
    ("Could I ask you something?", "Please ask, I am glad to help."),
    ("There is something I would like to know.", "Please ask, I am glad to help."),
    ("Sorry to trouble you.", "There is no trouble at all."),
    ("Ignore my last line.", "That is fine, I am here if you need me."),
    ("I need to think about it.", "That is fine, I am here if you need me."),
    ("Bye for now.", "Have a lovely day."),
    ("Until tomorrow.", "Have a lovely day."),
    ("So long!", "Have a lovely day."),
)
TONE_DEV: Final = ("Good afternoon!", "Many thanks, that was all.", "I am a bit annoyed.", "Cheers, bye!")
TONE_TEST: Final = (
    "Hey, good evening!",
    "Greetings from the mountains!",
    "Howdy, is anybody there?",
    "A very good day to you.",
    "That solved my problem, much appreciated.",
    "Wonderful, you saved my breakfast.",
    "Perfect, I have no further wishes.",
    "I could not be happier with my machine.",
    "You people are the best.",
    "What a friendly shop you have.",
    "Your last mail made me smile.",
    "I had to wait for a week and nobody wrote back.",
    "I am rather disappointed.",
    "This has been a terrible experience.",
    "Nobody listens to me.",
    "I am about to lose my patience.",
    "With whom am I chatting?",
    "Is there a human on the other end?",
    "What should I call you?",
    "How was your weekend?",
    "Do you ever sleep?",
    "Say something nice.",
    "Sing me a song.",
    "It is raining cats and dogs here.",
    "I need a break.",
    "Monday mornings are hard.",
    "I did not sleep well last night.",
    "My cat knocked over my cup.",
    "Enjoy your holidays!",
    "Congratulations on your anniversary!",
    "May I bother you for a moment?",
    "I hope I am not disturbing.",
    "Forget what I said.",
    "I will come back later.",
    "Talk to you next week.",
    "Farewell and take care.",
)
