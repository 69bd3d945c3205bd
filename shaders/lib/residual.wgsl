// What is added to the result of a norm, and where: nothing, or a tensor BEHIND the activation or BEFORE it.
const NONE = 0u;
const BEHIND = 1u;
const BEFORE = 2u;
