/*
 * Loads the library, uses it and unloads it, a thousand times: no descriptor, no memory and no mapping stays.
 *
 *   unload LIBRARY CODE     CODE is what SCardEstablishContext shall answer, in hexadecimal
 */
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#include "check.h"

static int descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int is_mapped(const char *name)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL)
        found |= strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

static void once(const char *path, LONG expected)
{
    LONG (*establish_context)(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT);
    LONG (*list_readers)(SCARDCONTEXT, LPCSTR, LPSTR, LPDWORD);
    LONG (*free_memory)(SCARDCONTEXT, LPCVOID);
    LONG (*release_context)(SCARDCONTEXT);
    const char *(*text)(LONG);
    SCARDCONTEXT context;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        puts(dlerror());
    CHECK(library != NULL);
    *(void **)&establish_context = dlsym(library, "SCardEstablishContext");
    *(void **)&list_readers = dlsym(library, "SCardListReaders");
    *(void **)&free_memory = dlsym(library, "SCardFreeMemory");
    *(void **)&release_context = dlsym(library, "SCardReleaseContext");
    *(void **)&text = dlsym(library, "pcsc_stringify_error");
    CHECK(establish_context && list_readers && free_memory && release_context && text);
    CHECK(strcmp(text(12345), "Unknown error: 0x00003039") == 0);
    EXPECT(establish_context(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), expected);
    if (expected == SCARD_S_SUCCESS) {
        char *names = NULL;
        DWORD length = SCARD_AUTOALLOCATE;
        EXPECT(list_readers(context, NULL, (LPSTR)&names, &length), SCARD_S_SUCCESS);
        EXPECT(free_memory(context, names), SCARD_S_SUCCESS);
        EXPECT(release_context(context), SCARD_S_SUCCESS);
    }
    EXPECT(dlclose(library), 0);
}

static void *in_a_thread(void *path)
{
    once(((char **)path)[1], (LONG)strtoul(((char **)path)[2], NULL, 16));
    return NULL;
}

int main(int argc, char **argv)
{
    int round, open_before = 0;
    size_t used_before = 0;

    CHECK(argc == 3);
    for (round = 0; round < 1000; round++) {
        if (round == 20) {
            open_before = descriptors();
            used_before = mallinfo2().uordblks;
        }
        once(argv[1], (LONG)strtoul(argv[2], NULL, 16));
        CHECK(!is_mapped("libpcsclite"));
    }
    CHECK(descriptors() == open_before);
    /* Less than a byte for each round: what the dynamic linker keeps. */
    CHECK(mallinfo2().uordblks < used_before + 980);

    for (round = 0; round < 50; round++) {
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, in_a_thread, argv), 0);
        EXPECT(pthread_join(thread, NULL), 0);
        CHECK(!is_mapped("libpcsclite"));
    }
    CHECK(descriptors() == open_before);
    return 0;
}
