// The taps of a phase, found once by the lanes of a workgroup, so that a loop over taps and channels takes an entry of a table instead of index arithmetic; and
// which of them an output reaches inside of the input, as a bit for each tap of each axis.
// uses lib/conv lib/conv_places

struct Tap {
  x: u32,          // what it adds to every address of x
  w: u32,          // its number among all taps
  bits: u32,       // a bit per axis, as in `reached_bits`
}

// A load takes an entry whole.
var<workgroup> tap_shared: array<vec4u, TAPS>;

fn tap_at(nth: u32) -> Tap {
  let t = tap_shared[min(nth, TAPS - 1u)];
  return Tap(t.x, t.y, t.z);
}

// Bits of an axis: as many taps as one may have.
const AXIS_BITS = 10u;

struct PhaseTaps {
  first: vec3i,    // tap of each axis
  reach: vec3i,    // where in the input it lies
  count: vec3u,    // taps of the phase
  stride: vec3i,   // from one to the next in the input
}

fn taps_of(r: vec3i, s: Steps) -> PhaseTaps {
  let first = vec3i(first_tap(r.x, 0u), first_tap(r.y, 1u), first_tap(r.z, 2u));
  let reach = vec3i(tap_offset(r.x, first.x, 0u), tap_offset(r.y, first.y, 1u), tap_offset(r.z, first.z, 2u));
  let count = vec3u(max(vec3i(0), (p.taps.xyz - first + s.tap - 1) / s.tap));
  return PhaseTaps(first, reach, count, select(p.dilation.xyz, -(s.tap * p.dilation.xyz / p.stride.xyz), p.transposed != 0u));
}

// Fills the table; a barrier has to follow.
fn list_taps(t: PhaseTaps, s: Steps, lane: u32, lanes: u32) {
  for (var i = lane; i < t.count.x * t.count.y * t.count.z; i += lanes) {
    let nth = vec3u(i / (t.count.y * t.count.z), i / t.count.z % t.count.y, i % t.count.z);
    let to = vec3i(nth) * t.stride;
    let tap = vec3u(t.first + vec3i(nth) * s.tap);
    let bits = (1u << nth.z) | (1u << (AXIS_BITS + nth.y)) | (1u << (2u * AXIS_BITS + nth.x));
    let number = (tap.x * u32(p.taps.y) + tap.y) * u32(p.taps.z) + tap.z;
    tap_shared[i] = vec4u(u32(place_in_x(to)), number, bits, 0u);
  }
}

// Of an output whose first tap lies at `at`.
fn reached_bits(at: vec3i, t: PhaseTaps) -> u32 {
  var bits = 0u;
  for (var a = 0u; a < 3u; a++) {
    for (var i = 0u; i < t.count[a]; i++) {
      let place = at[a] + i32(i) * t.stride[a];
      bits |= select(0u, 1u << ((2u - a) * AXIS_BITS + i), place >= 0 && place < p.in_size[a]);
    }
  }
  return bits;
}
