// Products of complex matrices, one per frequency, for software adapters with subgroups; conv/rows.wgsl tells how those work. A thread owns ROWS by COLUMNS of
//   y[f][column][row] = sum over terms of  a[f][row][term] * b[f][term][column]
// Two values lie in a vector. Those of `a` are ROWS of a term side by side, term by term, so that eight lanes read what all need and hand it around; those of
// `b` terms of a column side by side, or with ACROSS columns of a term. Two terms follow on one load and store of a sum.
// CPU time against matmul/lanes.wgsl on matrices of real numbers of twice the rows and terms: 1.6 to 2 times less.
// uses lib/grid

struct Params {
  frequencies: u32,
  rows: u32,
  terms: u32,
  columns: u32,
  tiles: u32,   // of rows
  across: u32,  // workgroups along the columns
  again: u32,   // 1: added to what there is
  // Vectors from one frequency to the next, tile of rows and term of `a`,
  a_matrix: u32,
  a_tile: u32,
  a_term: u32,
  // frequency and column (ACROSS: term) of `b`,
  b_matrix: u32,
  b_line: u32,
  // and column of `y`.
  y_line: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

override ACROSS: u32;

const LANES = 8u;
const ROWS = 16u;
const COLUMNS = 4u;
// Rows of a part: Mesa unrolls loops of no more than some 800 instructions.
const PART = 4u;
const PARTS = 4u;
// Terms that are added in a row; their sums are added on their own.
const BLOCK = 64u;

alias Part = array<array<vec2f, COLUMNS>, PART>;
alias Columns = array<vec2f, COLUMNS>;

// The value of a row, of which each of eight lanes has two.
fn handed(v: vec4f, row: u32) -> vec2f {
  let lane = row / 2u;
  if (row % 2u == 0u) {
    return vec2f(subgroupShuffle(v.x, lane), subgroupShuffle(v.y, lane));
  }
  return vec2f(subgroupShuffle(v.z, lane), subgroupShuffle(v.w, lane));
}

// Adds the products of two terms.
fn multiply(acc: ptr<function, Part>, a0: vec4f, a1: vec4f, b0: ptr<function, Columns>, b1: ptr<function, Columns>, part: u32) {
  for (var j = 0u; j < PART; j++) {
    let k = handed(a0, part * PART + j);
    let l = handed(a1, part * PART + j);
    for (var i = 0u; i < COLUMNS; i++) {
      let u = (*b0)[i];
      let v = (*b1)[i];
      let s = (*acc)[j][i];
      (*acc)[j][i] = vec2f(
        fma(-l.y, v.y, fma(l.x, v.x, fma(-k.y, u.y, fma(k.x, u.x, s.x)))),
        fma(l.y, v.x, fma(l.x, v.y, fma(k.y, u.x, fma(k.x, u.y, s.y)))));
    }
  }
}

// Adds sums to those of blocks and begins anew.
fn raise(sum: ptr<function, Part>, acc: ptr<function, Part>) {
  for (var j = 0u; j < PART; j++) {
    for (var i = 0u; i < COLUMNS; i++) {
      (*sum)[j][i] += (*acc)[j][i];
      (*acc)[j][i] = vec2f(0.0);
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) share: u32) {
  let id = linear_group(group, groups);
  let f = id / (p.across * p.tiles);
  if (f >= p.frequencies) {
    return;
  }
  let tile = id / p.across % p.tiles;
  let first = (id % p.across * LANES + lane) * COLUMNS;
  // Columns beyond the end repeat the last ones and are not stored. All lanes run to the end, for the sake of the shuffles.
  var place: array<u32, COLUMNS>;
  for (var i = 0u; i < COLUMNS; i++) {
    place[i] = f * p.b_matrix + min(first + i, p.columns - 1u) * p.b_line;
  }
  let across = f * p.b_matrix + min(first, (p.columns - 1u) / COLUMNS * COLUMNS) / 2u;
  var at = f * p.a_matrix + tile * p.a_tile + share % LANES;

  var acc: array<Part, PARTS>;
  var sum: array<Part, PARTS>;
  var k = 0u;
  while (k < p.terms) {
    let end = min(k + BLOCK, p.terms);
    for (; k < end; k += 2u) {
      // Of an odd number of terms the last has no second one.
      let more = k + 1u < p.terms;
      let a0 = a[at];
      let a1 = select(vec4f(0.0), a[at + select(0u, p.a_term, more)], more);
      at += 2u * p.a_term;
      var b0: Columns;
      var b1: Columns;
      if (ACROSS == 0u) {
        for (var i = 0u; i < COLUMNS; i++) {
          let two = b[place[i] + k / 2u];
          b0[i] = two.xy;
          b1[i] = select(vec2f(0.0), two.zw, more);
        }
      } else {
        for (var i = 0u; i < COLUMNS; i += 2u) {
          let here = across + k * p.b_line + i / 2u;
          let two = b[here];
          b0[i] = two.xy;
          b0[i + 1u] = two.zw;
          let next = b[here + select(0u, p.b_line, more)];
          b1[i] = select(vec2f(0.0), next.xy, more);
          b1[i + 1u] = select(vec2f(0.0), next.zw, more);
        }
      }
      multiply(&acc[0], a0, a1, &b0, &b1, 0u);
      multiply(&acc[1], a0, a1, &b0, &b1, 1u);
      multiply(&acc[2], a0, a1, &b0, &b1, 2u);
      multiply(&acc[3], a0, a1, &b0, &b1, 3u);
    }
    raise(&sum[0], &acc[0]);
    raise(&sum[1], &acc[1]);
    raise(&sum[2], &acc[2]);
    raise(&sum[3], &acc[3]);
  }

  // Loops of a length that no compiler knows keep the program short.
  let pairs = (min(ROWS, p.rows - tile * ROWS) + 1u) / 2u;
  for (var i = 0u; i < COLUMNS; i++) {
    let column = first + i;
    if (column >= p.columns) {
      break;
    }
    let o = (f * p.columns + column) * p.y_line + tile * (ROWS / 2u);
    for (var j = 0u; j < pairs; j++) {
      let row = j % (PART / 2u) * 2u;
      var z = vec4f(sum[j / (PART / 2u)][row][i], sum[j / (PART / 2u)][row + 1u][i]);
      if (p.again != 0u) {
        z += y[o + j];
      }
      y[o + j] = z;
    }
  }
}
