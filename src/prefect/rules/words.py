"""The words of which random names are made: friendly ones, easy to read aloud."""

from __future__ import annotations

__all__ = ["ADJECTIVES", "NOUNS"]

_ADJECTIVES = """
able active agile airy alert amber ample amused apt ardent artful astute avid awake balmy bold bonny brave
breezy bright brisk bronze bubbly buoyant calm candid careful caring casual cheerful cheery chief chipper
civil classy clean clear clever cloudy cogent comely cool copper coral cordial cosmic cosy courtly crafty
crimson crisp curious dainty dapper daring dashing deft devoted dewy diligent discreet dreamy droll dulcet
durable dynamic eager early earnest easy ebony elated elegant emerald eminent epic erudite exact expert
fabled fair faithful famous fancy fearless festive fine fleet fluent fluffy fond frank free fresh friendly
frosty funny gallant generous gentle genuine giddy gifted glad gleaming glowing golden graceful gracious
grand grateful green groovy handy happy hardy hazel hearty helpful heroic honest hopeful humble indigo
inventive ivory jade jaunty jolly jovial joyful jubilant judicious just keen kind kindly lavender lean
learned light likeable lilac lively logical loyal lucid lucky lunar magnetic majestic mellow merry mighty
mild mindful mirthful misty modest mossy musical natty neat nifty nimble noble novel obliging olive opal
optimal orderly patient peachy pearly pensive peppy perky pious placid playful plucky poetic poised polite
primal prompt proper proud prudent quaint quick quiet quirky radiant rapid rare ready refined regal robust
rosy ruby rustic sable sage sandy sapphire scarlet scenic secure sensible serene sharp shining silent silken
silver sincere skilful sleek smart smiling smooth snappy snowy snug sober solar solid sonic sparkling
spirited splendid spry stable starry steady stellar sterling stoic strong sturdy suave subtle sunny super
supple sure swift tactful talented tame tangy teal tender thankful thrifty tidy tranquil trim trusty
truthful upbeat urbane valiant vast velvet verdant versed violet vital vivid warm watchful wavy whimsical
willing winged winsome wise witty wondrous worthy zany zealous zesty zippy
"""

_NOUNS = """
aardvark albatross alpaca anchovy anteater antelope armadillo auk avocet axolotl badger bandicoot barbet
barnacle bat bear beaver bee beetle beluga binturong bison blackbird bluebird boar bobcat bonobo bream
buffalo bulbul bullfinch bumblebee bunting bustard butterfly buzzard camel canary capybara caracal cardinal
caribou carp cassowary cat caterpillar catfish chameleon chamois cheetah chickadee chicken chinchilla
chipmunk cicada civet clam coati cockatoo cockle cod condor coot cormorant cougar cowrie coyote coypu crab
crane cricket crocodile crow cuckoo curlew cuttlefish dachshund damselfly deer dingo dipper dodo dolphin
donkey dormouse dotterel dove dragonfly duck dugong dunlin dunnock eagle echidna egret eider eland elephant
elk emu ermine falcon fawn ferret finch firefly flamingo flounder fox frog gannet gazelle gecko gerbil
gibbon giraffe gnu goat godwit goldfinch goldfish goose gopher goshawk grebe greyhound grouse guanaco
guillemot gull guppy haddock halibut hamster hare harrier hawk hedgehog heron herring hippo hoopoe hornbill
horse hoverfly hummingbird husky ibex ibis iguana impala jackdaw jaguar jay jellyfish jerboa kakapo kangaroo
kestrel kingfisher kinglet kite kiwi koala kookaburra kudu ladybird lamb lapwing lark lemming lemur leopard
limpet linnet lion lizard llama lobster loon loris lynx macaque macaw mackerel magpie mallard manatee manta
marlin marmoset marmot marten meerkat merlin minnow mole mongoose moorhen moose moth mouse mule mullet
mussel narwhal nautilus newt nightingale numbat nuthatch ocelot octopus okapi oriole oryx osprey ostrich
otter ouzel owl ox oyster panda pangolin panther parakeet parrot partridge peacock pelican penguin perch
peregrine petrel pheasant pigeon pika pike pipit plaice platypus plover polecat pony poodle porcupine
porpoise prawn ptarmigan puffin puma quail quetzal quokka quoll rabbit raccoon ram raven ray razorbill
redpoll redshank redstart reindeer rhino roadrunner robin roebuck rook sable salamander salmon sanderling
sandpiper sardine scallop scoter seahorse seal serval shearwater sheep shrew shrimp siskin skate skink skua
skylark sloth snail snipe sole spaniel sparrow spoonbill squid squirrel stag starfish starling stilt
stingray stoat stork sturgeon swallow swan swift takin tamarin tapir tarpon tarsier teal tern terrapin
terrier thrush tiger tit toad tortoise toucan treefrog trout tuna turbot turkey turnstone turtle viscacha
vole wagtail wallaby walrus warbler waxwing weasel weaver weevil whale wheatear whelk whimbrel whinchat
whippet wigeon wildcat wisent wolf wolverine wombat woodcock woodpecker wren yak zander zebra zebu
"""

ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())
