"""Names for runs that were given none: two words that people can say and remember."""

from __future__ import annotations

from random import Random

__all__ = ["generate_slug"]

_ADJECTIVES = """
able agile amber ample azure blithe bold brave bright brisk bronze calm candid careful cheerful civil clever
cobalt copper coral cosmic crimson crisp curious daring deft eager earnest easy elegant ember fabled fair
famous fearless festive fierce fine fleet fond frank free fresh frosty gallant gentle gifted gilded glad
golden grand great green hardy hasty hazel honest humble indigo ivory jade jolly jovial keen kind lively
loyal lucid lucky mellow merry mighty mild misty modest neat nimble noble olive opal patient plucky polite
prime proud quick quiet rapid ready robust rosy royal ruby rustic sage scarlet serene sharp silent silver
sleek smart snowy solar solid sound spry steady stellar sturdy subtle sunny swift tawny tidy tranquil true
upbeat valiant velvet vivid warm wise witty
""".split()  # noqa: SIM905 - a list would take a line a word
_NOUNS = """
adder albatross alpaca antelope badger beaver bee bison bittern boar buffalo bustard buzzard camel caribou
catfish chamois cheetah chough clam cobra condor coot cormorant coyote crane cricket curlew deer dingo
dolphin dove dragonfly duck dunlin eagle echidna eel egret eland elk emu falcon ferret finch firefly
flamingo fox gannet gazelle gecko gibbon goose grebe grouse gull hare hawk hedgehog heron hoopoe hornet ibex
ibis iguana impala jackal jaguar jay kestrel kingfisher kite koala lark lemur leopard linnet lion lizard
llama lobster locust lynx magpie mallard marmot marten merlin mole moose moth narwhal newt nightjar ocelot
octopus okapi oriole oryx osprey otter owl oyster panther partridge pelican penguin petrel pheasant pike
plover pony puffin quail rabbit raccoon raven robin rook salmon sandpiper seal shrew skylark sparrow squid
starling stoat stork swallow swan swift tapir teal tern thrush tiger toad trout turtle viper vole wagtail
walrus warbler weasel whale wolf wombat woodpecker wren yak zebra
""".split()  # noqa: SIM905 - a list would take a line a word

# Not the global generator: a run that seeds that one must not get the same name each time.
_random = Random()


def generate_slug() -> str:
    """Return two words with a dash between them, such as `calm-otter`."""
    return f"{_random.choice(_ADJECTIVES)}-{_random.choice(_NOUNS)}"
