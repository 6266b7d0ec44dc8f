/*
 * The parts of libstdc++ that Bun for musl needs and whose objects in libstdc++.a would need more of a C library than
 * Bun imports. This code is freestanding and has no data. See libstdcxx.ts.
 */
#include <stddef.h>
#include <stdint.h>

/* A function of the C library. The dynamic linker writes its address into a slot of Bun: -DSLOT_name=address. */
#define LIBC(type, name) (*(__typeof__(type) *)SLOT_##name)

_Noreturn void abort(void)
{
    LIBC(void (*)(void), abort)();
    __builtin_unreachable();
}

int strcmp(const char *one, const char *other)
{
    return LIBC(int (*)(const char *, const char *), strcmp)(one, other);
}

/* Bun is compiled without exceptions, so code that would throw one ends the program. */
#define ENDS(name) _Noreturn void name(void) { abort(); }
ENDS(_ZSt9terminatev)
ENDS(_ZSt17__throw_bad_allocv)
ENDS(_ZSt19__throw_logic_errorPKc)
ENDS(_ZSt20__throw_length_errorPKc)
ENDS(_ZSt20__throw_system_errori)
ENDS(_ZSt21__glibcxx_assert_failPKciS0_S0_)
ENDS(_ZSt24__throw_out_of_range_fmtPKcz)
ENDS(_ZSt25__throw_bad_function_callv)
ENDS(_ZSt28__throw_bad_array_new_lengthv)
ENDS(__cxa_bad_typeid)
ENDS(__cxa_pure_virtual)
/* operator delete, for destructors of type_info that are never called. */
ENDS(_ZdlPvm)

/* set_terminate, get_new_handler: there are no handlers. */
void *_ZSt13set_terminatePFvvE(void *handler)
{
    (void)handler;
    return NULL;
}

void *_ZSt15get_new_handlerv(void)
{
    return NULL;
}

/* Names in a crash report stay mangled: -2 means that the name is not valid (Itanium C++ ABI 3.4). */
char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status)
{
    (void)name;
    (void)buffer;
    (void)length;
    if (status != NULL)
        *status = -2;
    return NULL;
}

/* std::condition_variable is a pthread_cond_t. The first member of std::unique_lock points to a pthread_mutex_t. */
void _ZNSt18condition_variableC1Ev(void *condition)
{
    LIBC(int (*)(void *, const void *), pthread_cond_init)(condition, NULL);
}

void _ZNSt18condition_variableD1Ev(void *condition)
{
    LIBC(int (*)(void *), pthread_cond_destroy)(condition);
}

void _ZNSt18condition_variable10notify_oneEv(void *condition)
{
    LIBC(int (*)(void *), pthread_cond_signal)(condition);
}

void _ZNSt18condition_variable10notify_allEv(void *condition)
{
    LIBC(int (*)(void *), pthread_cond_broadcast)(condition);
}

void _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(void *condition, void **lock)
{
    LIBC(int (*)(void *, void *), pthread_cond_wait)(condition, *lock);
}

/* std::chrono::steady_clock::now: nanoseconds of CLOCK_MONOTONIC. */
int64_t _ZNSt6chrono3_V212steady_clock3nowEv(void)
{
    struct { int64_t seconds, nanoseconds; } now;
    LIBC(int (*)(int, void *), clock_gettime)(1, &now);
    return now.seconds * 1000000000 + now.nanoseconds;
}

/*
 * Guards of static objects (Itanium C++ ABI 3.3.3): byte 0 means that the object exists. Byte 1 is our own: it
 * means that a thread is making the object.
 */
int __cxa_guard_acquire(char *guard)
{
    while (__atomic_exchange_n(guard + 1, 1, __ATOMIC_ACQUIRE) != 0) {
        if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) != 0)
            return 0;
        LIBC(int (*)(void), sched_yield)();
    }
    if (__atomic_load_n(guard, __ATOMIC_ACQUIRE) == 0)
        return 1;
    __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
    return 0;
}

void __cxa_guard_release(char *guard)
{
    __atomic_store_n(guard, 1, __ATOMIC_RELEASE);
    __atomic_store_n(guard + 1, 0, __ATOMIC_RELEASE);
}

/* std::call_once stores the called function in a variable of the thread: -DONCE_CALL=offset from the thread pointer. */
void __once_proxy(void)
{
    (*(void (**)(void))((char *)__builtin_thread_pointer() + ONCE_CALL))();
}
