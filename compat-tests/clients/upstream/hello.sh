#!/bin/bash
# Fixture of the end-to-end test of issue 565, which the wheel does not carry.
for n in 1 2 3 4 5 6 7 8 9 10; do
    echo "The Øresund bridge ends in Malmö - $n"
    sleep 1
done
