/* Prints what a fresh context says and whose rights the program has; the test lends it those of somebody else. */
#include <unistd.h>

#include "check.h"

int main(void)
{
    SCARDCONTEXT context = 0;
    LONG rv = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
    printf("%lX %s\n", (unsigned long)rv, getuid() == geteuid() ? "own" : "borrowed");
    return 0;
}
