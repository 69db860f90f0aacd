/* Prints what a fresh context says; the test runs it with the rights of somebody else. */
#include "check.h"

int main(void)
{
    SCARDCONTEXT context = 0;
    printf("%lX\n", (unsigned long)SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context));
    return 0;
}
