// Bodies over V handle four elements a thread with this fragment and one with lib/scalar.
alias V = vec4f;
alias U = vec4u;
alias B = vec4<bool>;
alias S = vec4<E>; // as stored
const WIDTH = 4u;

fn total(v: V) -> f32 {
  return dot(v, V(1.0));
}
