// What convolutions and matrix products read lies in memory value by value; lib/two_places reads pairs.
alias X = E;
