// Sizes of a max pool. ADAPTIVE windows are cut from the input evenly, the others are taps apart.
override ADAPTIVE: u32;

struct Params {
  in_size: vec4i,   // D, H, W
  out_size: vec4i,
  taps: vec4i,
  stride: vec4i,
  padding: vec4i,
  dilation: vec4i,
  planes: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
