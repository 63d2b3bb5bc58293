package main

// Run is the whole program except for the end of its process.
var Run = run
