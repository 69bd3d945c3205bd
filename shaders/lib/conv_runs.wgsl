// The runs of positions that weight gradients add up, one behind the other: the first is found by divisions, the others by additions, as software adapters
// divide lane by lane.
// uses lib/conv_weight

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
