// What a thread finds in its share of a channel, every `threads.x`-th element: mean, sum of squares around it, least and largest value. Differences from the
// first of them keep the digits that a mean far from 0 would take.
// uses lib/lines

struct Params {
  threads: vec3u,
  plane: u32,    // elements of a channel, no fewer than threads
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [channels, threads, 4]

fn element(id: vec3u) {
  let line = id.z * p.plane;
  let first = x[line + id.x];
  var low = first;
  var high = first;
  var sum = 0.0;
  var squares = 0.0;
  var count = 0.0;
  for (var k = id.x; k < p.plane; k += p.threads.x) {
    let v = x[line + k];
    let d = v - first;
    sum += d;
    squares += d * d;
    low = min(low, v);
    high = max(high, v);
    count += 1.0;
  }
  let at = 4u * (id.z * p.threads.x + id.x);
  y[at] = first + sum / count;
  y[at + 1u] = max(0.0, squares - sum * sum / count);
  y[at + 2u] = low;
  y[at + 3u] = high;
}
