/* A listener that is not the brake: reads an event, answers RESULT and READY in one write. Counts in a file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[1 << 20];

int main(int argc, char **argv)
{
    static const char again[] = "RESULT 2\nOKREADY\n";
    size_t have = 0;
    long last = argc > 1 ? atol(argv[1]) : 0, count = 0;

    if (write(1, "READY\n", 6) != 6)
        return 1;
    for (;;) {
        char *end = memchr(buffer, '\n', have), *len;
        if (end != NULL) {
            *end = 0;
            len = strstr(buffer, " len:");
            size_t whole = (size_t)(end + 1 - buffer) + (len ? strtoul(len + 5, NULL, 10) : 0);
            if (have >= whole) {
                have -= whole;
                memmove(buffer, buffer + whole, have);
                if (++count == last && argc > 2)
                    close(creat(argv[2], 0600));
                if (write(1, again, sizeof again - 1) != sizeof again - 1)
                    return 1;
                continue;
            }
            *end = '\n';
        }
        ssize_t got = read(0, buffer + have, sizeof buffer - have);
        if (got <= 0)
            return 0;
        have += (size_t)got;
    }
}
