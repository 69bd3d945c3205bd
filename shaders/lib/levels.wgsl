// A sum of many terms in one thread: blocks of them are added on their own, 64 of these sums on their own, and 64 of those, so that rounding errors do not
// grow with the number of terms. Rejected: compensated sums (Kahan), which a driver may take for a + b - a - b and leave out.

const BLOCK = 64u; // terms that a caller adds before it raises them

// With the sum of block n, counted from 1.
fn raised(levels: vec3f, block: f32, n: u32) -> vec3f {
  var sum = levels;
  sum.x += block;
  if (n % 64u == 0u) {
    sum.y += sum.x;
    sum.x = 0.0;
  }
  if (n % 4096u == 0u) {
    sum.z += sum.y;
    sum.y = 0.0;
  }
  return sum;
}

fn sum_of(levels: vec3f) -> f32 {
  return levels.x + levels.y + levels.z;
}
