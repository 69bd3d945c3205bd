// The runs of positions that weight gradients add up, one behind the other: the first is found by divisions, the others by additions, as software adapters
// divide lane by lane.
// uses lib/conv_weight

// Tap and tile of b-channels of a thread. On a small image most taps miss most runs, which lanes leave out together where they have one tap; on a large one, whose
// channels lie far apart, lanes with neighboring taps find what they read in one another's cache lines.
fn tap_and_tile(t: u32, taps: u32, b_tiles: u32) -> vec2u {
  let by_tap = vec2u(t % taps, t / taps);
  let by_channel = vec2u(t / b_tiles, t % b_tiles);
  return select(by_tap, by_channel, p.by_channel != 0u);
}

// Where a run begins: the place on its line, the line's place in the image, the sample.
struct Run {
  start: u32,
  h: i32,
  d: i32,
  n: u32,
}

fn run_of(row: u32) -> Run {
  let line = row / p.segments;
  let h = i32(line) % p.a_size.y;
  let d = i32(line) / p.a_size.y % p.a_size.x;
  return Run(row % p.segments * p.segment, h, d, line / u32(p.a_size.x * p.a_size.y));
}

fn next_run(run: Run) -> Run {
  var next = run;
  next.start += p.segment;
  if (next.start >= u32(p.a_size.z)) {
    next.start = 0u;
    next.h++;
  }
  if (next.h == p.a_size.y) {
    next.h = 0;
    next.d++;
  }
  if (next.d == p.a_size.x) {
    next.d = 0;
    next.n++;
  }
  return next;
}
