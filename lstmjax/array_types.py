"""Names for the arrays that travel through the program.

Shape letters: B batch, T time, H W image rows and columns, D depth, S states, K classes (codes
including the null), L label length. Images and activations are `H W B D`, sequences `T B D`,
so that scanning either axis needs no copy.
"""

from typing import TYPE_CHECKING, Any

from jaxtyping import Float

if TYPE_CHECKING:
    from jaxtyping import Array
else:
    Array = Any  # importing the real one imports JAX

Activations = Float[Array, "H W B D"]
Key = Array
Logits = Float[Array, "T B K"]
Params = Any
