"""The one table of words: which phrases say which part, colour, texture, position, place, light or relation.

Annotators speak from it and `reading` reads with it, so a description and its score cannot disagree about a word.
No phrase has two meanings; where one phrase contains another ("road marking", "road"), the longer is read.
"picture" is the framed thing on a wall: the photograph itself is an image. "light" alone means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mami_core.scenery.wording import Meaning, Words, read_table

# Counted nouns; ~ marks nouns without a plural, = marks adjectives. The first word is the usual one.
PART_WORDS: Mapping[str, Words] = read_table(
    {
        "sky": "sky, ~open sky, ~heavens, ~atmosphere",
        "cloud": "cloud, ~cloud cover, cloud bank, rain cloud, =cloudy, =clouded",
        "sun": "sun, sun disk, rising sun, setting sun",
        "moon": "moon, full moon, crescent moon, crescent, ~moonlight",
        "star": "star, distant star, twinkling star, =starry, =starlit",
        "mountain": "mountain, peak, mountain peak, summit, ridge, mountainside, mountain range, =mountainous, =alpine",
        "hill": "hill, hillside, hilltop, slope, mound, knoll, =hilly, =rolling",
        "snow": "~snow, ~snowfall, snowfield, snowbank, snowdrift, ~powder snow, =snowy, =snow covered",
        "grass": "~grass, lawn, meadow, ~turf, grassland, blade of grass, =grassy",
        "field": "field, crop field, farm field, wheat field, ~farmland, ~crops, furrow",
        "tree": "tree, treetop, tree crown, tree trunk, trunk, ~foliage, ~leaves, ~branches, =leafy, =wooded",
        "pine tree": "pine tree, pine, fir, fir tree, conifer, evergreen, spruce, christmas tree",
        "palm tree": "palm tree, palm, coconut palm, ~palm leaves, ~palm fronds, =palmy",
        "bush": "bush, shrub, hedge, ~shrubbery, thicket, =bushy",
        "flower": "flower, blossom, bloom, flower bed, petal, tulip, daisy, wildflower, =flowery, =floral",
        "cactus": "cactus, saguaro, desert plant, cactus plant, =prickly, =spiny",
        "sand": "~sand, ~sandy ground, ~sandy soil, sandbank, ~dry sand, =sandy",
        "dune": "dune, sand dune, sand hill, sandhill",
        "water": "~water, sea, ocean, lake, pond, river, ~open water, body of water, ~waves, =watery",
        "boat": "boat, ship, vessel, ferry, rowboat, fishing boat, hull, yacht, sailboat",
        "sail": "sail, mainsail, ~sailcloth, canvas sail, jib",
        "lighthouse": "lighthouse, beacon, lighthouse tower",
        "pier": "pier, dock, jetty, wharf, boardwalk, quay",
        "house": "house, home, cottage, villa, house wall, townhouse, facade, dwelling, residence",
        "roof": "roof, rooftop, gable, ~roofing, roof tile, shingle, eave",
        "window": "window, window pane, pane, windowsill, glass pane, shutter, ~glazing",
        "door": "door, doorway, entrance, gate, entryway, doorframe",
        "skyscraper": "skyscraper, high rise, tall building, office tower, tower block, office building",
        "tower": "tower, turret, spire, steeple, belfry, stone tower",
        "castle wall": "castle wall, battlement, rampart, stone wall, fortress wall, fortification",
        "flag": "flag, banner, pennant, streamer, flagpole",
        "road": "road, street, ~asphalt, roadway, lane, ~tarmac",
        "road marking": "road marking, lane marking, road line, dashed line, ~painted lines, traffic line, crosswalk",
        "sidewalk": "sidewalk, pavement, walkway, curb, kerb, paving slab",
        "car": "car, automobile, sedan, taxi, parked car, motorcar, hatchback",
        "wheel": "wheel, tire, tyre, car wheel, hubcap, rim",
        "bus": "bus, coach, minibus, double decker, school bus",
        "traffic light": "traffic light, traffic signal, stoplight, signal light",
        "street lamp": "street lamp, lamp post, lamppost, streetlight, street light, light pole",
        "fence": "fence, railing, picket fence, ~fencing, barrier, picket, handrail",
        "bridge": "bridge, arch bridge, viaduct, overpass, bridge deck, bridge arch, footbridge",
        "person": "person, human, man, woman, pedestrian, human figure, child, kid, visitor, passenger, crowd",
        "ball": "ball, football, soccer ball, beach ball, round ball",
        "sign": "sign, signboard, billboard, road sign, placard, signpost, shop sign",
        "awning": "awning, market stall, stall, canopy, tent roof, marquee",
        "fruit": "~fruit, ~fruits, vegetable, apple, ~produce, melon, peach, pear",
        "crate": "crate, box, chest, carton, fruit crate, packing case",
        "seat": "seat, stadium seat, bleacher, grandstand, spectator seat, row of seats",
        "pitch": "pitch, playing field, soccer field, football field, sports field, sports ground",
        "goal": "goal, goalpost, goal net, goal frame, net",
        "floodlight": "floodlight, stadium light, spotlight, floodlight mast",
        "barn": "barn, shed, stable, farm building, farmhouse, outbuilding",
        "haystack": "haystack, hay bale, straw bale, bale, ~hay, ~straw, stack of hay",
        "cow": "cow, ~cattle, bull, calf, heifer, grazing cow",
        "umbrella": "umbrella, parasol, sunshade, beach umbrella",
        "wall": "wall, interior wall, room wall, ~wallpaper, partition, ~plaster, ~wall panels",
        "floor": "floor, ~flooring, floorboard, ~parquet, floor tile, ~linoleum",
        "ceiling": "ceiling, room ceiling, ceiling panel, ~plasterboard",
        "bed": "bed, mattress, blanket, bedspread, quilt, duvet, ~bedding, bed cover, bedframe",
        "pillow": "pillow, cushion, bolster, throw pillow, pillowcase, headrest",
        "table": "table, desk, tabletop, tablecloth, dining table, countertop, worktop",
        "chair": "chair, stool, armchair, dining chair, chair back, chair leg",
        "picture": "picture, painting, framed picture, picture frame, artwork, portrait, poster, framed painting",
        "bookshelf": "bookshelf, bookcase, shelf, ~shelving, book rack, shelf board",
        "book": "book, volume, paperback, book spine, row of books, hardcover, textbook",
        "blackboard": "blackboard, chalkboard, whiteboard, school board, slate board",
        "sofa": "sofa, couch, settee, loveseat, divan",
        "curtain": "curtain, drape, window curtain, ~drapery, ~blinds, valance",
        "rug": "rug, carpet, mat, floor mat, ~carpeting, doormat",
        "lamp": "lamp, lampshade, ceiling lamp, desk lamp, table lamp, light bulb, chandelier, lantern",
        "stove": "stove, oven, cooker, stovetop, hob, burner",
        "cupboard": "cupboard, cabinet, kitchen cabinet, wardrobe, drawer, sideboard, dresser, closet",
        "sink": "sink, faucet, basin, washbasin, kitchen sink, tap",
        "plate": "plate, dish, saucer, platter, ~crockery, dinner plate, bowl",
        "plant": "plant, potted plant, house plant, houseplant, flower pot, flowerpot, planter, fern",
        "slide": "slide, playground slide, chute",
        "swing": "swing, swing set, swing seat, rope swing",
        "ski lift": "ski lift, chairlift, cable car, gondola, lift cable, ~cableway",
        "cross": "cross, crucifix, altar cross, church cross",
        "rock": "rock, stone, boulder, pebble, cliff, =rocky, =stony",
        "silo": "silo, grain silo, grain bin, storage tank",
        "bench": "bench, park bench, pew, garden bench",
        "path": "path, footpath, trail, pathway, gravel path, garden path, dirt path",
        "clock": "clock, clock face, wall clock, dial, timepiece, station clock",
        "bottle": "bottle, glass bottle, flask, wine bottle, jar, jug",
        "dog": "dog, puppy, hound, canine, pup",
        "bird": "bird, seagull, gull, pigeon, crow, flying bird, sparrow",
        "bicycle": "bicycle, bike, cycle, mountain bike, pushbike",
        "train": "train, locomotive, railcar, train carriage, tram, railway wagon",
        "rail": "rail, track, train track, rail track, railroad track, railway line, ~railroad ties",
    }
)

COLOUR_WORDS: Mapping[str, Words] = read_table(
    {
        "red": "=red, =reddish, =crimson, =scarlet, =bright red",
        "orange": "=orange, =orangish, =amber, =bright orange",
        "yellow": "=yellow, =yellowish, =golden, =bright yellow",
        "green": "=green, =greenish, =bright green, =lime",
        "dark green": "=dark green, =deep green, =forest green, =darker green",
        "teal": "=teal, =turquoise, =cyan, =blue green",
        "blue": "=blue, =bluish, =royal blue, =navy, =dark blue",
        "light blue": "=light blue, =pale blue, =azure, =baby blue, =lighter blue",
        "purple": "=purple, =violet, =lilac, =purplish",
        "pink": "=pink, =pinkish, =rosy, =salmon",
        "brown": "=brown, =brownish, =chestnut, =chocolate",
        "beige": "=beige, =tan, =cream, =light brown",
        "gray": "=gray, =grey, =grayish, =silver, =light gray",
        "dark gray": "=dark gray, =dark grey, =charcoal, =slate gray",
        "white": "=white, =whitish, =ivory, =off white",
        "black": "=black, =blackish, =jet black, =ebony",
    }
)

TEXTURE_WORDS: Mapping[str, Words] = read_table(
    {
        "plain": "=plain, =smooth, =uniform, =solid",
        "striped": "=striped, =stripy, =banded, stripe, band",
        "dotted": "=dotted, =spotted, dot, polka dot, dotted pattern",
        "checkered": "=checkered, =checked, =chequered, check, checkerboard",
        "brick": "=brick, =bricked, brick pattern, ~bricks, ~brickwork, ~masonry",
        "wooden": "=wooden, =timber, =planked, plank, ~wood grain, ~wood",
        "speckled": "=rough, =textured, =speckled, =grainy, =mottled, speckle",
        "wavy": "=wavy, =rippled, =undulating, ripple, wavy line",
        "tiled": "=tiled, =tessellated, tile, ~tiling",
        "grid": "=gridded, =latticed, =grid like, grid, lattice",
    }
)

POSITION_WORDS: Mapping[str, Words] = read_table(
    {
        "top": "~top, ~upper part, ~upper half, ~upper area, ~upper edge, ~upper third, =upper, =topmost",
        "middle": "~middle, ~center, ~centre, ~middle part, ~central area, =central",
        "bottom": "~bottom, ~lower part, ~lower half, ~lower area, ~lower third, ~lower edge, =lower, =lowest",
        "left": "~left side, ~left half, ~left, ~left part, ~left hand side, =leftmost",
        "right": "~right side, ~right half, ~right, ~right part, ~right hand side, =rightmost",
    }
)

PLACE_WORDS: Mapping[str, Words] = read_table(
    {
        "harbour": "harbour, harbor, port, marina",
        "beach": "beach, seashore, ~the seaside, ~the shore",
        "mountain lake": "mountain lake, lakeside, alpine lake, lake shore",
        "forest": "forest, ~the woods, woodland",
        "desert": "desert, desert landscape, ~dry land",
        "ski slope": "ski slope, ski resort, piste, ski run",
        "farm": "farm, farmyard, ranch, country estate",
        "city street": "city street, street scene, urban street, town, downtown area",
        "skyline": "skyline, city skyline, cityscape, metropolis",
        "bridge": "river crossing, bridge scene, bridge view",
        "highway": "highway, motorway, freeway, expressway",
        "market": "market, marketplace, farmers market, outdoor market, bazaar",
        "stadium": "stadium, arena, sports stadium",
        "church": "church, chapel, cathedral",
        "castle": "castle, fortress, palace, citadel",
        "playground": "playground, play area, schoolyard",
        "garden": "garden, backyard, flower garden, courtyard",
        "bedroom": "bedroom, hotel room, guest room",
        "living room": "living room, lounge, sitting room, family room",
        "kitchen": "kitchen, kitchenette, cooking area",
        "library": "library, reading room, archive",
        "classroom": "classroom, schoolroom, school, lecture room",
        "gallery": "gallery, art gallery, museum, exhibition room",
        "restaurant": "restaurant, cafe, dining room, diner",
        "railway station": "railway station, train station, railway platform, train stop",
        "park": "park, public park, city park, ~parkland",
    }
)

LIGHT_WORDS: Mapping[str, Words] = read_table(
    {
        "day": "~daylight, ~daytime, ~the day",
        "blue": "~clear weather, ~fine weather, clear day",
        "gray": "~overcast weather, ~dull weather, gloomy day",
        "dusk": "~dusk, sunset, ~twilight, ~evening",
        "night": "~night, ~nighttime, ~darkness",
        "indoor": "~indoors, ~inside rooms, =indoor",
    }
)

RELATION_WORDS: Mapping[str, Words] = read_table(
    {
        "above": "=above, =over, =on top of, =higher than",
        "below": "=below, =under, =beneath, =underneath",
        "beside": "=next to, =beside, =alongside, =adjacent to, =close to",
        "against": "=in front of, =against",
        "behind": "=behind, =at the back of",
        "meeting": "=meet, =meets, =touch, =come together, =join",
        "around": "=surrounded by, =framed by, =around",
    }
)

# Only what is said of things that are meant: "in various sizes" says nothing.
SIZE_WORDS: Mapping[str, Words] = read_table({"large": "=large, =big, =huge", "small": "=small, =tiny, =little"})

EDGE_WORDS: Mapping[str, Words] = read_table(
    {"edge": "edge, border, outline, boundary, contour, ~silhouettes, corner, =bordering, =outlining"}
)

# A kind is a wider word than any part: saying it generalises, and names no part.
KIND_WORDS: Mapping[str, Words] = read_table(
    {
        "vegetation": "~vegetation, ~greenery, ~plant life, ~flora, ~growth",
        "building": "building, structure, ~architecture, construction",
        "vehicle": "vehicle, ~traffic, means of transport",
        "furniture": "~furniture, ~furnishings, household item, piece of furniture",
        "ground": "~ground, ~terrain, ~flat ground, ~soil, ~land",
        "landscape": "landscape, ~nature, ~scenery, ~countryside",
        "heavens": "heavenly body, ~weather, ~air",
        "animal": "animal, creature, ~living things, ~living beings",
        "tableware": "~tableware, ~kitchenware, container, ~food, utensil",
        "pole": "pole, post, mast, ~thin poles",
        "interior": "~room interiors, indoor surface, panel, interior",
        "fabric": "~fabric, ~cloth, ~textiles, ~upholstery",
        "appliance": "appliance, ~kitchen equipment",
        "plaything": "~playground equipment, ~sports equipment, toy",
        "decoration": "decoration, ornament, wall decoration",
        "infrastructure": "~infrastructure, ~engineering, ~transport routes",
    }
)

KINDS: Mapping[str, tuple[str, ...]] = {
    "vegetation": ("tree", "pine tree", "palm tree", "bush", "flower", "cactus", "plant", "grass"),
    "building": ("house", "roof", "skyscraper", "tower", "castle wall", "barn", "lighthouse", "silo", "awning"),
    "vehicle": ("car", "bus", "train", "boat", "bicycle", "wheel"),
    "furniture": ("bed", "table", "chair", "sofa", "cupboard", "bookshelf", "bench", "seat", "lamp"),
    "ground": ("road", "sidewalk", "path", "sand", "snow", "field", "pitch", "floor", "road marking"),
    "landscape": ("mountain", "hill", "dune", "water", "rock", "haystack"),
    "heavens": ("sky", "cloud", "sun", "moon", "star"),
    "animal": ("cow", "dog", "bird", "person"),
    "tableware": ("plate", "bottle", "fruit", "crate"),
    "pole": ("floodlight", "street lamp", "traffic light", "sign", "flag", "fence", "goal"),
    "interior": ("wall", "ceiling", "window", "door", "curtain"),
    "fabric": ("rug", "pillow", "umbrella", "sail"),
    "appliance": ("stove", "sink"),
    "plaything": ("slide", "swing", "ball"),
    "decoration": ("picture", "clock", "cross", "book", "blackboard"),
    "infrastructure": ("bridge", "pier", "rail", "ski lift"),
}
KIND_OF: Mapping[str, str] = {part: kind for kind, parts in KINDS.items() for part in parts}

PLACE_PREPOSITIONS: Mapping[str, str] = {
    "beach": "at",
    "mountain lake": "at",
    "ski slope": "on",
    "farm": "on",
    "highway": "on",
    "market": "at",
    "castle": "at",
    "playground": "on",
    "railway station": "at",
}

LIGHT_PHRASES: Mapping[str, tuple[str, ...]] = {
    "day": ("in daylight", "during the day", "in the daytime"),
    "blue": ("in clear weather", "on a clear day", "in fine weather"),
    "gray": ("in overcast weather", "on a gloomy day", "in dull weather"),
    "dusk": ("at dusk", "at sunset", "in the evening", "at twilight"),
    "night": ("at night", "in the nighttime", "in darkness"),
    "indoor": ("indoors", "inside rooms"),
}

NEGATIONS = frozenset({"no", "not", "without", "never", "except", "excluding"})
OPERATORS = {"or": "or", "either": "or", "and": "and", "both": "and"}

CATEGORIES: Mapping[str, Mapping[str, Words]] = {
    "part": PART_WORDS,
    "colour": COLOUR_WORDS,
    "texture": TEXTURE_WORDS,
    "position": POSITION_WORDS,
    "place": PLACE_WORDS,
    "light": LIGHT_WORDS,
    "relation": RELATION_WORDS,
    "size": SIZE_WORDS,
    "edge": EDGE_WORDS,
    "kind": KIND_WORDS,
}


def surface_forms() -> Iterator[tuple[str, Meaning]]:
    """Yield every phrase with its meaning, singular, plural and adjectives alike."""
    for category, table in CATEGORIES.items():
        for name, words in table.items():
            for phrase in sorted(words.phrases()):
                yield phrase, Meaning(category, name)


def phrase_table() -> dict[tuple[str, ...], Meaning]:
    """Return token tuple → meaning. ValueError names a phrase that was given two meanings."""
    table: dict[tuple[str, ...], Meaning] = {}
    for phrase, meaning in surface_forms():
        tokens = tuple(phrase.split())
        if table.setdefault(tokens, meaning) != meaning:
            raise ValueError(f"{phrase!r} means both {table[tokens]} and {meaning}; drop one from scenery/lexicon.py")
    return table


PHRASES: Mapping[tuple[str, ...], Meaning] = phrase_table()
LONGEST_PHRASE = max(map(len, PHRASES))
