// Discrete Fourier transform of L = 4 R complex values in registers, R being 2, 3 or 4: R transforms of 4 and 4 of R (Cooley and Tukey, 1965).

const R = L / 4u;
const TURN = 6.283185307179586 / f32(L);
// e^(i TURN n)
const TURNS = array<vec2f, 10>(
  vec2f(1.0, 0.0),
  vec2f(cos(TURN), sin(TURN)),
  vec2f(cos(2.0 * TURN), sin(2.0 * TURN)),
  vec2f(cos(3.0 * TURN), sin(3.0 * TURN)),
  vec2f(cos(4.0 * TURN), sin(4.0 * TURN)),
  vec2f(cos(5.0 * TURN), sin(5.0 * TURN)),
  vec2f(cos(6.0 * TURN), sin(6.0 * TURN)),
  vec2f(cos(7.0 * TURN), sin(7.0 * TURN)),
  vec2f(cos(8.0 * TURN), sin(8.0 * TURN)),
  vec2f(cos(9.0 * TURN), sin(9.0 * TURN)),
);
const HALF_ROOT = 0.8660254037844386; // of 3

alias Values = array<vec2f, L>;

fn turned(v: vec2f, by: vec2f) -> vec2f {
  return vec2f(v.x * by.x - v.y * by.y, v.x * by.y + v.y * by.x);
}

// Of the four values from `first` on that lie `apart`. `s` is -1 forwards, 1 backwards.
fn four(v: ptr<function, Values>, first: u32, apart: u32, s: f32) {
  let a = (*v)[first] + (*v)[first + 2u * apart];
  let b = (*v)[first] - (*v)[first + 2u * apart];
  let c = (*v)[first + apart] + (*v)[first + 3u * apart];
  let d = (*v)[first + apart] - (*v)[first + 3u * apart];
  let e = s * vec2f(-d.y, d.x);
  (*v)[first] = a + c;
  (*v)[first + apart] = b + e;
  (*v)[first + 2u * apart] = a - c;
  (*v)[first + 3u * apart] = b - e;
}

fn three(v: ptr<function, Values>, first: u32, s: f32) {
  let a = (*v)[first];
  let b = (*v)[first + 1u] + (*v)[first + 2u];
  let c = s * HALF_ROOT * ((*v)[first + 1u] - (*v)[first + 2u]);
  let d = a - 0.5 * b;
  (*v)[first] = a + b;
  (*v)[first + 1u] = d + vec2f(-c.y, c.x);
  (*v)[first + 2u] = d - vec2f(-c.y, c.x);
}

fn two(v: ptr<function, Values>, first: u32) {
  let a = (*v)[first];
  let b = (*v)[first + 1u];
  (*v)[first] = a + b;
  (*v)[first + 1u] = a - b;
}

// Not divided by L. Frequency k is found at `place_of(k)`.
fn transform(v: ptr<function, Values>, s: f32) {
  for (var q = 0u; q < R; q++) {
    four(v, q, R, s);
    for (var k = 1u; k < 4u; k++) {
      (*v)[R * k + q] = turned((*v)[R * k + q], vec2f(1.0, s) * TURNS[q * k]);
    }
  }
  for (var k = 0u; k < 4u; k++) {
    if (R == 4u) { four(v, 4u * k, 1u, s); }
    if (R == 3u) { three(v, 3u * k, s); }
    if (R == 2u) { two(v, 2u * k); }
  }
}

fn place_of(k: u32) -> u32 {
  return R * (k % 4u) + k / 4u;
}
