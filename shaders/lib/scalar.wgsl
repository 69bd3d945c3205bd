// Bodies over V handle one element a thread with this fragment and four with lib/wide.
alias V = f32;
alias U = u32;
alias B = bool;
alias S = E; // as stored
const WIDTH = 1u;

fn total(v: V) -> f32 {
  return v;
}
