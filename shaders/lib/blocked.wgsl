// Loops over blocks of BLOCK terms that are no loops where there is one block, as over a few channels: that is 3 to 10 % of a cross-entropy or a softmax over
// four of them on llvmpipe.
// uses lib/levels

override BLOCKED: u32; // 0: there is one block

fn block_end(first: u32, count: u32) -> u32 {
  return select(count, min(first + BLOCK, count), BLOCKED != 0u);
}

fn done(first: u32, count: u32) -> bool {
  return BLOCKED == 0u || first >= count;
}
