// What lies outside an axis that is padded.
override MODE: u32;
const CONSTANT = 0u;
const REFLECT = 1u;
const REPLICATE = 2u;
const CIRCULAR = 3u;
