package main

// Run is the whole program but for the end of its process.
var Run = run
