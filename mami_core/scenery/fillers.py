"""Words that a caption may hold without saying anything the grammar reads: function words and talk about images."""

from __future__ import annotations

_WORDS = """
during a an the this that these those it its they them their there here i you we one ones each every all both any other
others another same such which who what where when while then than as so too also only just even very rather quite
is are was were be been being am do does did has have had can could would may might will seems seem seen of in on at
to from by for with into onto within across through along near toward towards about out up down off between among
upon per like plus well together away apart and or nor but if because some several many few various different
multiple numerous similar random lot lots group groups variety kinds kind pairs pair clusters cluster rows row two
three most mostly mainly usually often sometimes generally typically predominantly occasionally especially nearly
almost clearly partly now always dominant main lesser extent addition image images photo photos photograph
photographs photographed shot shots view views frame frames scene scenes setting settings example examples unit
units neuron neurons region regions area areas part parts section sections patch patches piece pieces bit bits spot
spots portion portions detail details fragment fragments stretch stretches segment segments glimpse glimpses expanse
expanses zone zones space spaces side sides front back surface surfaces object objects thing things item items shape
shapes shaped element elements material materials background backgrounds pattern patterns texture textures color
colors colored colour colours coloured tone tones hue hues shade shades shaded appearance presence look looks
looking appear appears appearing show shows showing shown contain contains containing cover covers covered covering
include includes including depict depicts display displays feature features featuring detect detects find finds
found focus focuses respond responds see pick picks mark marks marked marking highlight highlighted highlighting
follow following trace tracing tend tends tending filling filled painted placed located arranged accompanied
repeated viewed hidden visible range feel feels stand stands standing made times angles angle distance rest size
sizes wide narrow long thin strips lit bright brighter dark darker light lighter
pale mere close closer ups place places after inside outside wherever whatever
else alone enough takes again whole bit kind leave silent count
"""

FILLERS = frozenset(_WORDS.split())
