// How a loss is told what is wanted: class indices as integers, the same as f32, as labels come from files, or a value for each channel.
override TARGET: u32;
const INDEX = 0u;
const FLOAT_INDEX = 1u;
const CHANNELS = 2u;
