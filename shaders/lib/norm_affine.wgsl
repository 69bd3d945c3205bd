// Scale, shift and activation of a channel: y = z where z > 0, else slope * z, with z = weight * h + bias. Slope 1 is no activation, 0 is ReLU.
// uses lib/norm

// 1: a group has several channels.
override CHANNELS: u32 = 0u;

struct Channel {
  weight: f32,
  bias: f32,
  slope: f32,
}

fn of_channel(c: u32) -> Channel {
  var q = Channel(1.0, 0.0, p.slope);
  if (p.affine != 0u) {
    q.weight = weight[c];
    q.bias = bias[c];
  }
  if (p.slopes != 0u) {
    q.slope = slope[select(c, 0u, p.slopes == 1u)];
  }
  return q;
}

// By mean, 1 / standard deviation and what the mean lacks.
fn normalized(v: V, stats: vec3f) -> V {
  return (v - stats.x - stats.z) * stats.y;
}

fn scaled(h: V, q: Channel) -> V {
  return fma(h, V(q.weight), V(q.bias));
}
