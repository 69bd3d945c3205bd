// Types of cast/half.wgsl from f16 to f32.
alias From = f16;
alias To = f32;
