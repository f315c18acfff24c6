/* A program that makes events: text between the capture tokens, as many times as it is told, as fast as it is read. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Small, because the reference calls itself for each token in a read and ends up at Python's recursion limit. */
#define PIPE_BYTES 4096

int main(int argc, char **argv)
{
    static char buffer[PIPE_BYTES];
    long events = argc > 1 ? atol(argv[1]) : 0;

    if (fcntl(1, F_SETPIPE_SZ, PIPE_BYTES) < 0)
        return 1;
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (long event = 0; event < events; event++)
        fputs("<!--XSUPERVISOR:BEGIN-->a body of some forty characters, as usual<!--XSUPERVISOR:END-->", stdout);
    /* The reference looks at the last token when something follows it. */
    fputs("and that is all there is to be said about it\n", stdout);
    return fflush(stdout) ? 1 : 0;
}
