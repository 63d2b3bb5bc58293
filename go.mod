module latchkey

go 1.26.0
