"""How people ask for each attribute, how its value is stated, and which other values it could have.

Train, dev and test wordings are disjoint: no template is shared, and a test bounds the content words any two share.
Training varies the wording rather than repeating it, and keeps neighbours apart (price against postage, weight against
material, closing time against closed day). {s} is the subject with its article ("the Tidal Press"), {n} its bare name.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Draw = Callable[[random.Random], str]


@dataclass(frozen=True)
class Attribute:
    """`sentence`: states {v} of {s} (capitalised by the caller); `draw`: a random plausible value, to be read."""

    sentence: str
    draw: Draw
    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _one_of(*values: str) -> Draw:
    return lambda rng: rng.choice(values)


def _dollars(low: int, high: int) -> Draw:
    return lambda rng: f"${rng.randint(low, high)}"


def _count(low: int, high: int, unit: str = "") -> Draw:
    return lambda rng: f"{rng.randint(low, high)}{unit}"


def _kilograms(rng: random.Random) -> str:
    return f"{rng.randint(0, 24)}.{rng.randint(1, 9)} kg"


def _clock(rng: random.Random) -> str:
    return f"{rng.randint(15, 22)}:{rng.choice(('00', '15', '30', '45'))}"


_NAMES: Final = _lines("""
    Agnes\nBruno\nClara\nDaniel\nElif\nFarid\nGreta\nHugo\nIrma\nJonas\nKeiko\nLeon\nMira\nNikolai\nOlga\nPaulo
    Quentin\nRosa\nSven\nTamar\nUlrich\nVera\nWanda\nXavier\nYasmin\nZoltan\nAmara\nBjorn\nCarmen\nDesta\nEsteban\nFiona
""")
_STREETS: Final = tuple(
    f"{first} {last}"
    for first in ("Maple", "Copper", "Falcon", "Bishop", "Orchard", "Harvest", "Mercer", "Juno", "Tanner", "Willow")
    for last in ("Street", "Lane", "Road", "Row", "Avenue", "Terrace", "Square", "Walk")
)
_MATERIALS: Final = _lines(
    "steel\nbrass\ncopper\noak\nglass\nbamboo\nceramic\naluminium\nenamel\ntitanium\nwalnut\nmarble\niron\ncork\nresin"
)
_CITIES: Final = _lines(
    "Porto\nTurin\nGhent\nLeeds\nKyoto\nBergen\nVienna\nMalmo\nLyon\nKrakow\nOslo\nSeville\nDublin\nOsaka\nBasel\nTampere"
)
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

ATTRIBUTES: Final[dict[str, Attribute]] = {
    "price": Attribute(
        "{s} costs {v}.",
        _dollars(9, 990),
        _lines("""
            How much is {s}?
            What does {s} cost?
            What is the price of {s}?
            How much does {s} cost?
            {n} price?
            Price of {s}, please.
            How many dollars do I pay for {s}?
            What do you charge for {s}?
            I want to buy {s}. How much is it?
            What would I pay for {s} today?
            Can you tell me what {s} sells for?
            What is the list price of {s}?
            How expensive is {s}?
            I am thinking of getting {s}; what is it priced at?
            Give me the cost of {s}.
            At what price do you sell {s}?
            What is the retail price for {s}?
            How much money is {s}?
            What amount do I owe if I order {s}?
            If I take one {n}, what is the bill?
            Which price tag is on {s}?
            Cost of one {n} in dollars?
            What is the damage for {s}?
            How many bucks is {s}?
            What is {s} worth in your shop?
            How deep do I dig into my wallet for {s}?
            What do I hand over at the till for {s}?
            What does the catalogue say {s} costs?
        """),
        _lines("""
            What is the going rate for {s}?
            I need the asking price of {s}.
        """),
        _lines("""
            What will {s} set me back?
            My budget is tight: how many dollars should I put aside for {s}?
            How much would I have to spend on {s}?
            What figure is on the tag of {s} in your store?
            What are you asking for {s}?
            How much does {s} go for?
        """),
    ),
    "stock": Attribute(
        "We have {v} units of {s} in stock.",
        _count(0, 300),
        _lines("""
            How many units of {s} are in stock?
            What is the stock of {s}?
            How many of {s} do you have?
            {n} stock count?
            How many {n} units are available?
            What is the inventory of {s}?
            How many pieces of {s} are in the warehouse?
            How many of {s} are left?
            Tell me the number of {n} units in stock.
            What is the stock level for {s}?
            How many can you supply of {s} right now?
            Stock of {s}, please.
            What quantity of {s} do you hold?
            How many of {s} remain available?
            I want to order several of {s}; how many are there?
            How many {n} pieces does your warehouse hold?
            Give me the available quantity of {s}.
            What number of {s} is on the shelf?
            How many items of {s} are in inventory?
            Count of {n} in the warehouse?
            How well stocked is {s}, in units?
            How many pieces of {s} could I buy at once?
            What number of {n} units waits in your store?
            Is {s} in stock, and how many?
            How plentiful is {s} right now, in units?
            What does the warehouse count say about {s}?
        """),
        _lines("""
            How large is your remaining supply of {s}?
            What does the stock sheet say for {s}?
        """),
        _lines("""
            How many of {s} could you ship off the shelf this week?
            How many boxes of {s} are still sitting in your storeroom?
            How big is the stockpile of {s} at present?
            If I bought every {n} you own, how many would that be?
            How many of {s} can I still get?
        """),
    ),
    "warranty": Attribute(
        "{s} has a warranty of {v}.",
        lambda rng: "1 year" if (n := rng.randint(1, 15)) == 1 else f"{n} years",
        _lines("""
            How long is the warranty on {s}?
            What warranty does {s} have?
            For how long is {s} guaranteed?
            {n} warranty period?
            How many years of warranty come with {s}?
            What is the guarantee on {s}?
            How long does the guarantee of {s} last?
            How long am I covered if {s} breaks?
            What is the warranty length of {s}?
            Warranty of {s}, please.
            How many years is {s} under warranty?
            When does the warranty of {s} run out after purchase?
            How long do you guarantee {s}?
            What warranty term applies to {s}?
            How many years does the {n} guarantee cover?
            If I buy {s}, how long is it under guarantee?
            Tell me the guarantee period for {s}.
            How long will you fix {s} for free under warranty?
            What is the length of cover for {s}?
            For what time is {s} covered by the warranty?
            How many years of cover do I get with {s}?
            How many years can I rely on you if {s} fails?
            For how long do you take responsibility for {s}?
            If {s} dies, how long was it protected?
            What promise in years comes with {s}?
            How many years is {s} insured against faults?
            When would I have to pay repairs of {s} myself?
        """),
        _lines("""
            For how many years does the maker stand by {s}?
            How long does coverage for defects on {s} run?
        """),
        _lines("""
            For how many years will you repair a faulty {n} at no charge?
            How long is my protection against defects when I purchase {s}?
            Until how many years after buying can I make a claim on {s}?
            What is the duration of the manufacturer's promise on {s}?
            How many years of free repairs are included with {s}?
            How many years does the warranty on {s} run, exactly?
        """),
    ),
    "material": Attribute(
        "{s} is made of {v}.",
        _one_of(*_MATERIALS),
        _lines("""
            What is {s} made of?
            Which material is {s} built from?
            What material is {s}?
            Material of {s}?
            What material do you use for {s}?
            What is the body of {s} made from?
            {n} body material?
            What is {s} made out of?
            Which material is the body of {s}?
            Tell me the material of {s}.
            What is the casing of {s} made of?
            From which material do you make {s}?
            What stuff is {s} made of?
            What is the housing of {s} built of?
            What does the body of {s} consist of?
            Which material does {s} come in?
            What kind of material is used in {s}?
            What are the materials in {s}?
            What is the main material of {s}?
            Is {s} metal, wood or something else?
            What do I hold in my hand when I hold {s}?
            What is the surface of {s}?
            Which substance is {s}?
            Describe the material of the {n} body.
            What was {s} cut or cast from?
            What is the stuff that {s} is built from?
        """),
        _lines("""
            Which substance forms the shell of {s}?
            What is the exterior of {s} crafted in?
        """),
        _lines("""
            What is {s} constructed out of?
            If I touch the outside of {s}, what material do I feel?
            What raw material goes into {s}?
            Which metal, wood or other material did you choose for {s}?
            What is the outer shell of {s} fashioned from?
            What is {s} made of, by the way?
        """),
    ),
    "city": Attribute(
        "{s} is made in {v}.",
        _one_of(*_CITIES),
        _lines("""
            Where is {s} made?
            In which city is {s} built?
            Where do you produce {s}?
            Where does {s} come from?
            City where {s} is manufactured?
            Which factory city makes {s}?
            In what city is {s} made?
            {n} place of manufacture?
            Where is {s} manufactured?
            Where is {s} built?
            Which city is {s} produced in?
            Where do you build {s}?
            What is the city of origin of {s}?
            Tell me where {s} is produced.
            In which town is {s} made?
            Where is the factory of {s}?
            In which place is {s} put together?
            What is the origin of {s}?
            Which city does {s} come from?
            Where is {s} assembled?
            Which place on the map does {s} come from?
            Where does your maker of {s} work?
            Where did {s} begin its life?
            In which city do craftsmen finish {s}?
            Name the city of the {n} workshop.
            Where is your {n} supplier based?
        """),
        _lines("""
            From which place do you ship {s} when it is finished?
            Which town builds {s}?
        """),
        _lines("""
            In which city would I find the plant that turns out {s}?
            What city is stamped on {s} as its birthplace?
            Where are the workers who put together {s}?
            Which city is home to the {n} production line?
            Where in the world is {s} put into production?
            Do you know where {s} is made?
        """),
    ),
    "weight": Attribute(
        "{s} weighs {v}.",
        _kilograms,
        _lines("""
            How heavy is {s}?
            What does {s} weigh?
            What is the weight of {s}?
            {n} weight?
            How many kilos is {s}?
            Tell me how much {s} weighs.
            How much does {s} weigh?
            Weight of {s} in kg?
            How many kilograms does {s} weigh?
            What weight is {s}?
            What is the mass of {s}?
            Is {s} heavy? Give me the weight.
            How heavy is {s} in kilograms?
            How much weight does {s} have?
            What is the net weight of {s}?
            I need to carry {s}; how heavy is it?
            Give me the kilograms of {s}.
            How many kg is {s}?
            What do the scales show for {s}?
            Please state the weight of {s}.
            How many kilos will my table bear under {s}?
            Will {s} be too heavy? How many kilos?
            What load is {s} in kg?
            How heavy is the parcel content if I order {s}?
            What do I carry when I carry {s}, in kilograms?
            Number of kilos of {s}?
        """),
        _lines("""
            How light or heavy would you call {s}, in kilos?
            What mass in kilograms does the data sheet list for {s}?
        """),
        _lines("""
            If I put {s} on a scale, what would it read?
            My shelf holds little: how many kilos would {s} add?
            How much heavier gets my bag with {s} inside?
            How many kilos must I lift to move {s}?
            Roughly how much does {s} weigh?
        """),
    ),
    "closing": Attribute(
        "{s} closes at {v}.",
        _clock,
        _lines("""
            When does {s} close?
            What time does {s} close?
            At what time do you close {s}?
            {n} closing time?
            Until what time is {s} open?
            How late is {s} open?
            What is the closing time of {s}?
            Until when is {s} open in the evening?
            At what hour does {s} close?
            How late can I visit {s}?
            What time does {s} shut?
            When does {s} shut in the evening?
            Tell me the closing hour of {s}.
            Until what hour can I shop at {s}?
            I come after work; how late is {s} open?
            What time do the doors of {s} close?
            Closing time for {s}, please.
            At what clock time does {s} shut?
            When does the working day end at {s}?
            What are the evening hours of {s}?
            When do the lights go out at {s}?
            By which hour is {s} empty?
            What hour ends the day at {s}?
            How late may I drop in at {s}?
            When is the last moment to enter {s}?
            When do staff go home at {s}?
        """),
        _lines("""
            At which hour is {s} done for the day?
            What time must customers leave {s}?
        """),
        _lines("""
            By what time should I be at {s} before it locks up?
            When do you lock the doors of {s}?
            What is the latest I can walk into {s} on a working day?
            How long into the evening does {s} serve customers?
            Do you know what time {s} closes?
        """),
    ),
    "manager": Attribute(
        "The manager of {s} is {v}.",
        _one_of(*_NAMES),
        _lines("""
            Who is the manager of {s}?
            Who manages {s}?
            Who runs {s}?
            What is the name of the manager at {s}?
            {n} manager?
            Which person manages {s}?
            Who is in charge of {s}?
            Tell me who manages {s}.
            Who is the boss at {s}?
            Who leads {s}?
            Whom do I ask for as manager at {s}?
            Name of the person in charge of {s}?
            Who heads {s}?
            What is the manager of {s} called?
            Who is responsible for {s}?
            Who is the store manager of {s}?
            Which manager runs {s}?
            Who is the shop manager at {s}?
            I want to talk to the manager of {s}; who is it?
            Who has charge of {s}?
            Who is the person to speak to about running {s}?
            Who takes decisions at {s}?
            Whose shop is {s} to run?
            Who oversees {s}?
            Who directs {s}?
            Who answers for {s}?
        """),
        _lines("""
            Under whose direction is {s}?
            Who would I complain to as head of {s}?
        """),
        _lines("""
            Whose job is it to run {s} day to day?
            Who supervises the team of {s}?
            Which colleague looks after {s}?
            What first name does the person leading the staff of {s} have?
            Do you know who manages {s}?
        """),
    ),
    "street": Attribute(
        "{s} is on {v}.",
        _one_of(*_STREETS),
        _lines("""
            Where is {s}?
            What street is {s} on?
            What is the address of {s}?
            On which street is {s}?
            {n} address?
            In which street can I find {s}?
            Where can I find {s}?
            Which street is {s} in?
            How do I get to {s}? I need the street.
            Tell me the street of {s}.
            What is the street name for {s}?
            Where is {s} located?
            What is the location of {s}?
            Address of {s}, please.
            Which road is {s} on?
            To which address do I go for {s}?
            Where do I find {s} in town?
            At what address is {s}?
            What street do I type in to reach {s}?
            I want to visit {s}; what is the street?
            Where do I go to see {s}?
            What is written on the street sign at {s}?
            Which lane, road or street has {s}?
            Where should I walk to for {s}?
            Where does {s} have its door?
            Where must my letter go to reach {s}?
        """),
        _lines("""
            Which street should my taxi driver take me to for {s}?
            Where in town is {s} situated?
        """),
        _lines("""
            What do I enter in my navigation to drive to {s}?
            On what road does {s} stand?
            Along which street would I walk to see {s}?
            Whereabouts is {s}?
            On what street will I see {s}?
        """),
    ),
    "closed": Attribute(
        "{s} is closed every {v}.",
        _one_of(*_DAYS),
        _lines("""
            On which day is {s} closed?
            What day is {s} closed?
            Which weekday is {s} closed?
            {n} closed day?
            On what day of the week does {s} not open?
            Which day of the week is {s} shut?
            On which weekday is {s} not open?
            What is the rest day of {s}?
            Which day is {s} closed all day?
            Tell me the day {s} is closed.
            What day of the week is {s} closed?
            Which day does {s} stay shut?
            When is the weekly closed day of {s}?
            On which day should I not come to {s}?
            On what weekday does {s} stay closed?
            Which day off does {s} have?
            What is the day off at {s}?
            Closed day of {s}?
            Which day each week is {s} closed?
            On which day is nobody at {s}?
            When does {s} take its weekly break?
            On which weekday are customers turned away at {s}?
            Which day do I avoid for {s}?
            Which day is a free day for the people at {s}?
            On which day would I come in vain to {s}?
            What day is dark at {s}?
        """),
        _lines("""
            Which weekday finds {s} without staff?
            What weekday does {s} rest?
        """),
        _lines("""
            Which day of the week would I stand before locked doors at {s}?
            On what day does the crew of {s} have a holiday each week?
            Which of the seven days is {s} not serving customers?
            Which weekday is no good for visiting {s}?
            {s} takes one weekday off; which one?
        """),
    ),
    "shipping_fee": Attribute(
        "Shipping to {s} costs {v}.",
        _dollars(3, 80),
        _lines("""
            How much is shipping to {s}?
            What does shipping to {s} cost?
            What is the shipping fee to {s}?
            {n} shipping cost?
            What do you charge for shipping to {s}?
            How much do you charge to ship to {s}?
            What is the delivery charge to {s}?
            How much does it cost to ship to {s}?
            What is the shipping price for {s}?
            How many dollars is shipping to {s}?
            Shipping fee for {s}, please.
            What is the shipping rate to {s}?
            How expensive is shipping to {s}?
            How much does delivery to {s} cost?
            I live in {s}; how much is shipping?
            What do I pay for delivery to {s}?
            What would shipping to {s} cost me?
            Tell me the cost of sending an order to {s}.
            What is the delivery fee for {s}?
            How much do you take for sending a parcel to {s}?
            What is added to my bill for sending things to {s}?
            How much for mailing an order to {s}?
            What does the post to {s} cost?
            How many bucks to send goods to {s}?
            What fee is there when you send to {s}?
            What does transport to {s} cost?
        """),
        _lines("""
            What freight charge applies to {s}?
            How much extra is it to have an order sent to {s}?
        """),
        _lines("""
            What is the postage to {s}?
            How many dollars does it add if my parcel goes to {s}?
            What carriage do you bill for customers in {s}?
            How much must I pay on top to have things mailed to {s}?
            Roughly how much is it to ship something to {s}?
        """),
    ),
    "delivery": Attribute(
        "Delivery to {s} takes {v}.",
        _count(2, 21, " days"),
        _lines("""
            How long does delivery to {s} take?
            How many days does delivery to {s} take?
            What is the delivery time to {s}?
            {n} delivery time?
            How long does shipping to {s} take?
            How fast do you deliver to {s}?
            When will my order arrive in {s}?
            How many days until a parcel reaches {s}?
            How long do I wait for delivery in {s}?
            In how many days do you deliver to {s}?
            How long is a parcel on its way to {s}?
            What is the shipping time for {s}?
            How soon do orders arrive in {s}?
            I live in {s}; how many days does delivery take?
            How quickly does an order get to {s}?
            Days of delivery to {s}?
            How long until my order is in {s}?
            How many days do you need to deliver to {s}?
            Tell me the time a delivery to {s} takes.
            How long does a package to {s} take?
            How many days pass before my box is in {s}?
            When can someone in {s} expect the parcel?
            How long is the journey to {s}?
            How many days is the trip of a package to {s}?
            How long does the mail to {s} need?
            What waiting time is there for {s}?
        """),
        _lines("""
            How many days should I allow for the post to {s}?
            After how many days is a shipment due in {s}?
        """),
        _lines("""
            How many days will my parcel travel to {s}?
            If you send it today, in how many days is it in {s}?
            What transit time do you promise to {s}?
            How long must customers in {s} be patient for a box?
            Roughly how many days does an order to {s} take?
        """),
    ),
    "monthly_fee": Attribute(
        "{s} costs {v} a month.",
        _dollars(2, 60),
        _lines("""
            How much is {s} per month?
            What does {s} cost a month?
            What is the monthly fee of {s}?
            {n} monthly fee?
            What is the monthly price of {s}?
            How much do I pay each month for {s}?
            How many dollars a month is {s}?
            What do you charge monthly for {s}?
            How much does {s} cost?
            What is the fee for {s}?
            Price of {s}?
            What do members pay for {s}?
            How much is {s}?
            Monthly cost of {s}, please.
            How expensive is {s} a month?
            What is the price of {s}?
            How much does {s} cost every month?
            What will {s} cost me monthly?
            Tell me the fee for {s}.
            How much is taken each month for {s}?
            What is billed each month for {s}?
            How many bucks a month for {s}?
            What do I transfer monthly as holder of {s}?
            What is the membership fee of {s}?
            What is the charge for being in {s}?
            How dear is {s}, month by month?
        """),
        _lines("""
            What amount leaves my account monthly with {s}?
            What is the going rate of {s} for a month?
        """),
        _lines("""
            What sum is debited every four weeks or so for {s}?
            How many dollars must I budget per month to hold {s}?
            What are the dues of {s}?
            How much would joining {s} set me back per month?
            Roughly what does {s} cost each month?
        """),
    ),
    "discount": Attribute(
        "{s} gives {v} off.",
        _count(2, 40, "%"),
        _lines("""
            What discount does {s} give?
            How much discount do I get with {s}?
            How many percent off does {s} give?
            {n} discount?
            What is the discount of {s}?
            What percentage off do members get with {s}?
            How big is the discount with {s}?
            What discount comes with {s}?
            How much off do I get with {s}?
            Which discount do holders of {s} have?
            How many percent discount is in {s}?
            What reduction does {s} bring?
            Discount with {s}, please.
            What percent off comes with {s}?
            Tell me the discount for {s}.
            How large is the price reduction with {s}?
            What percentage does {s} take off?
            With {s}, what discount applies?
            What rebate does {s} include?
            How many percent cheaper is it with {s}?
            How much cheaper do I shop with {s}?
            What price advantage has {s}?
            How many percent less do I pay with {s}?
            What benefit on prices does {s} bring?
            What cut in prices comes with {s}?
            How generous is {s}, in percent?
        """),
        _lines("""
            By what percentage are prices lowered for {s}?
            How much is knocked off for people with {s}?
        """),
        _lines("""
            How many percent do I save with {s}?
            By how many percent does my bill shrink when I hold {s}?
            What savings rate is tied to {s}?
            Which percentage is deducted at the till for {s}?
            What kind of discount would I have with {s}?
        """),
    ),
    "workshop_fee": Attribute(
        "{s} costs {v} per person.",
        _dollars(10, 190),
        _lines("""
            How much is {s}?
            What does {s} cost?
            What is the price of {s}?
            {n} workshop fee?
            What is the fee for {s}?
            How much does a place in {s} cost?
            What do I pay for {s}?
            How much does {s} cost per person?
            How many dollars is {s}?
            What do you charge for {s}?
            How expensive is {s}?
            Fee of {s}, please.
            What is the price per person of {s}?
            I want to book {s}; how much is it?
            How much is one seat in {s}?
            What is the cost of {s}?
            What would {s} cost me?
            Tell me the fee of {s}.
            How much do you charge per head for {s}?
            Ticket price for {s}?
            How many bucks for {s}?
            What is billed for a place in {s}?
            What do guests pay for {s}?
            How dear is {s}?
            What is the damage for {s}?
            What do I hand over at the till for {s}?
        """),
        _lines("""
            What is the tuition for {s}?
            What amount is due when I enrol in {s}?
        """),
        _lines("""
            How many dollars does a participant hand over for {s}?
            What does it take to attend {s}, in dollars?
            How much would signing up for {s} set me back?
            What must I spend to join {s}?
            Do you know what {s} costs?
        """),
    ),
    "teacher": Attribute(
        "{s} is taught by {v}.",
        _one_of(*_NAMES),
        _lines("""
            Who teaches {s}?
            Who is the teacher of {s}?
            Who gives {s}?
            {n} workshop teacher?
            What is the name of the teacher of {s}?
            Which teacher gives {s}?
            By whom is {s} taught?
            Who is the instructor of {s}?
            Who leads {s}?
            Who runs {s}?
            Which instructor teaches {s}?
            Tell me who teaches {s}.
            Who is the trainer in {s}?
            From whom will I learn in {s}?
            Who holds {s}?
            What is the instructor of {s} called?
            Which person teaches {s}?
            Name of the teacher for {s}?
            Who will be my teacher in {s}?
            Who is teaching {s}?
            Who shows us the tricks in {s}?
            Who will I meet as teacher at {s}?
            Under whom do I study in {s}?
            Who is the expert in {s}?
            Who instructs people in {s}?
            Whose lessons are those in {s}?
        """),
        _lines("""
            Which trainer is assigned to {s}?
            Whose class is {s}?
        """),
        _lines("""
            Who stands at the front in {s}?
            Which tutor will show us things in {s}?
            Who explains the craft to the group in {s}?
            Which member of your team guides {s}?
            Do you know who teaches {s}?
        """),
    ),
    "length": Attribute(
        "{s} lasts {v}.",
        _one_of("30 minutes", "45 minutes", "50 minutes", "100 minutes", *(f"{n} hours" for n in range(2, 10))),
        _lines("""
            How long is {s}?
            How long does {s} last?
            What is the length of {s}?
            {n} workshop length?
            How many hours is {s}?
            What is the duration of {s}?
            How long does {s} take?
            How much time does {s} take?
            How long do I spend in {s}?
            How many hours does {s} last?
            Duration of {s}, please.
            For how long does {s} run?
            How long will {s} be?
            How much time should I plan for {s}?
            Tell me how long {s} lasts.
            How long am I in {s}?
            What time does {s} need from start to end?
            How long is a session of {s}?
            How many hours or minutes is {s}?
            How long does {s} go on?
            How many hours will I be away for {s}?
            When I start {s}, how long until it ends?
            How long must I stay at {s}?
            How long is the course {s}?
            How long a day is {s}?
            How long does one sit in {s}?
        """),
        _lines("""
            How many hours should I keep free for {s}?
            From start to finish, what is the span of {s}?
        """),
        _lines("""
            How much of my day would {s} fill?
            How long will we be busy in {s}?
            What stretch of time does {s} cover?
            How long do participants of {s} stay?
            Do you know how long {s} lasts?
        """),
    ),
    "return_window": Attribute(
        "Unused {s} can be returned within {v}.",
        _count(3, 99, " days"),
        _lines("""
            How many days do I have to return {s}?
            How long can I return {s}?
            What is the return window for {s}?
            Return period for {s}?
            Within how many days can {s} be returned?
            How long do I have to return {s}?
            What is the return period of {s}?
            In how many days must I return {s}?
            Until when can I return {s} after purchase?
            What is the time limit to return {s}?
            How many days are there to return {s}?
            How long do you accept returns of {s}?
            For how many days do you take back {s}?
            Return time for {s}, please.
            How long do I have to send back {s}?
            What is the deadline for returning {s}?
            I want to return {s}; how many days do I have?
            How many days of return right are there for {s}?
            What return limit applies to {s}?
            Tell me the days for returns of {s}.
            How many days may pass before I give {s} back?
            How long am I free to bring back {s}?
            How many days of trial do I have for {s}?
            When does the right to return {s} end?
            How long will you take {s} again?
            How many days can I think about keeping {s}?
        """),
        _lines("""
            How many days is the money-back offer on {s} good for?
            How long may customers keep {s} and still hand them back?
        """),
        _lines("""
            How long do I have to change my mind about {s}?
            After how many days is it too late to bring {s} back?
            How many days do you allow for refunds on {s}?
            For how long can {s} go back to you unopened?
            How many days after delivery can I still return {s}?
        """),
    ),
    "minimum_order": Attribute(
        "{s} has a minimum order of {v}.",
        _dollars(90, 990),
        _lines("""
            What is the minimum order for {s}?
            How much must I order with {s}?
            What is the smallest order on {s}?
            {n} minimum order?
            How big must an order on {s} be?
            What order minimum does {s} have?
            How many dollars is the minimum order of {s}?
            What is the least I can order with {s}?
            What minimum applies to {s}?
            How much do I have to order at least with {s}?
            Minimum order on {s}, please.
            What is the minimum purchase for {s}?
            From what amount can I order on {s}?
            What is the lowest order value of {s}?
            How large is the minimum order for {s}?
            Tell me the minimum order of {s}.
            What must an order on {s} come to at least?
            Which order minimum is set for {s}?
            How low can an order on {s} be?
            What minimum order value is there on {s}?
            What must my basket hold on {s}?
            How much must I buy each time with {s}?
            What is the lower limit for orders on {s}?
            What is the bottom line of an order on {s}?
            From how many dollars on do you accept orders on {s}?
            What amount must be reached on {s}?
        """),
        _lines("""
            What is the order floor of {s}?
            How small may a purchase on {s} be?
        """),
        _lines("""
            What is the least we may spend per purchase on {s}?
            Below what amount do you turn down orders on {s}?
            How many dollars of goods must each delivery on {s} hold?
            What spending threshold does {s} carry?
            How many dollars do I have to spend at minimum with {s}?
        """),
    ),
    "payment_terms": Attribute(
        "Invoices on {s} are due in {v}.",
        _count(5, 95, " days"),
        _lines("""
            What are the payment terms of {s}?
            How many days do I have to pay with {s}?
            When are invoices on {s} due?
            {n} payment terms?
            In how many days must invoices on {s} be paid?
            What is the payment time for {s}?
            How long do I have to pay invoices on {s}?
            How many days until an invoice on {s} is due?
            What payment period does {s} have?
            When do I have to pay on {s}?
            Payment terms on {s}, please.
            How long is the payment period of {s}?
            Within how many days do we pay on {s}?
            What payment deadline applies to {s}?
            After how many days is a bill on {s} due?
            Tell me the payment terms for {s}.
            How many days to pay are there on {s}?
            What is the due date of invoices on {s}?
            How much time to pay does {s} give?
            What time to pay do you grant on {s}?
            How long may our bookkeeper leave a bill of {s}?
            How patient are you with money on {s}, in days?
            How long is the time to pay with {s}?
            How many days pass before a bill of {s} must be paid?
            When do you want the money on {s}?
            How late may we pay on {s}?
        """),
        _lines("""
            How many days of credit come with {s}?
            When does the bookkeeping expect money on {s}?
        """),
        _lines("""
            How long can we wait before settling a bill on {s}?
            How many days of credit does {s} allow?
            By which day after billing must the money for {s} arrive?
            What is the settlement period for {s}?
            How many days after the invoice date do we owe you money on {s}?
        """),
    ),
    "role": Attribute(
        "Our {n} is {v}.",
        _one_of(*_NAMES),
        _lines("""
            Who is your {n}?
            Who is the {n}?
            What is the name of the {n}?
            Who is the {n} at Brightwater?
            {n}: who is it?
            Who works as {n}?
            Which person is the {n}?
            Tell me who the {n} is.
            What is your {n} called?
            Who is the company's {n}?
            I would like to write to the {n}; who is it?
            Name of the {n}?
            Who holds the post of {n}?
            What is the {n}'s name?
            Who does the job of {n}?
            Who has the role of {n}?
            Which person works as {n} at Brightwater?
            Whom do I contact as {n}?
            Who do you have as {n}?
            Could you name the {n}?
            Who fills the job of {n}?
            To whom do I speak if I want the {n}?
            Whom do you call {n}?
            Who among you is the {n}?
            The {n} of Brightwater, who is that?
            Who sits at the desk of the {n}?
        """),
        _lines("""
            Who took up the position of {n}?
            Whom should I address as {n} in my letter?
        """),
        _lines("""
            Who serves as {n} in your company?
            By what name does the {n} go?
            If I phone the {n}, who answers?
            Which colleague acts as {n}?
            Do you know who the {n} is?
        """),
    ),
}

# Questions that need two documents: a product's sheet names a code, another document says what the code means.
BRIDGES: Final[dict[str, Attribute]] = {
    "programme": Attribute(
        "Descaling {s} takes {v}.",
        _count(10, 95, " minutes"),
        _lines("""
            How long does it take to descale {s}?
            How many minutes does descaling {s} take?
            What is the descaling time of {s}?
            How long is the descaling programme of {s}?
        """),
        _lines("For how many minutes do I run the descaler through {s}?"),
        _lines("""
            If I clear limescale from {s}, how many minutes will I need?
            What time should I plan to get the scale out of {s}?
        """),
    ),
    "parcel": Attribute(
        "The parcel surcharge for {s} is {v}.",
        _dollars(2, 60),
        _lines("""
            What is the parcel surcharge for {s}?
            Which surcharge does the parcel size of {s} carry?
            How much extra does the parcel of {s} cost?
            What does the parcel size of {s} add to shipping?
        """),
        _lines("What supplement is charged for the box of {s}?"),
        _lines("""
            How many dollars extra does the box size of {s} mean?
            Because of its size, what do you add for sending {s}?
        """),
    ),
    "repair": Attribute(
        "The bench fee for repairing {s} is {v}.",
        _dollars(10, 250),
        _lines("""
            What is the bench fee for repairing {s}?
            What does a repair of {s} cost out of warranty?
            How much is the repair class fee of {s}?
            How much do you charge to repair {s}?
        """),
        _lines("What is the workshop price to mend {s}?"),
        _lines("""
            My {n} is broken and out of cover: what fee do you ask to fix it?
            How many dollars is it to have {s} mended at your bench?
        """),
    ),
}
