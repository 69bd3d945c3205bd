// Hands one draw of the generator to a dropout layer and moves the generator on. On the device, so that a replayed step drops other elements
// each time without the host.

@group(0) @binding(1) var<storage, read_write> generator: array<u32>; // seed low, seed high, draws low, draws high
@group(0) @binding(2) var<storage, read_write> draw: array<u32>;

@compute @workgroup_size(1)
fn main() {
  for (var i = 0u; i < 4u; i++) {
    draw[i] = generator[i];
  }
  generator[2] += 1u;
  if (generator[2] == 0u) {
    generator[3] += 1u;
  }
}
