// Types of cast/half.wgsl from f32 to f16.
alias From = f32;
alias To = f16;
