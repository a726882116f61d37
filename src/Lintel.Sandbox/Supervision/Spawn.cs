using System.Runtime.InteropServices;
using Lintel.Sandbox.Native;

namespace Lintel.Sandbox.Supervision;

/// <summary>
/// One <c>posix_spawn</c>. Not <c>Process.Start</c>, which hands an ignored SIGPIPE to children, has no terminals, and
/// starts them from threads that retire; not <c>fork</c>, after which managed code hung in one start of thirty.
/// </summary>
internal sealed unsafe class Spawn : IDisposable
{
    private readonly void* _attributes = NativeMemory.AllocZeroed(Libc.SpawnAttributesSize);
    private readonly void* _actions = NativeMemory.AllocZeroed(Libc.SpawnActionsSize);
    private readonly byte** _arguments;
    private readonly byte** _environment = (byte**)NativeMemory.AllocZeroed((nuint)sizeof(byte*));
    private readonly List<Descriptor> _moved = [];
    private readonly int _count;

    public Spawn(IReadOnlyList<string> arguments, IReadOnlyList<Descriptor> standard, IReadOnlyList<Descriptor> inherited)
    {
        _count = arguments.Count;
        _arguments = (byte**)NativeMemory.AllocZeroed((nuint)(_count + 1), (nuint)sizeof(byte*));

        for (var index = 0; index < _count; index++)
        {
            _arguments[index] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[index]);
        }

        var signals = stackalloc byte[Libc.SignalSetSize];
        new Span<byte>(signals, Libc.SignalSetSize).Clear();
        Libc.CheckCode(Libc.posix_spawnattr_init(_attributes), "posix_spawnattr_init");

        // Its own session, so that one kill of the group reaches the sandbox's first process even while it is being set up.
        Libc.CheckCode(Libc.posix_spawnattr_setflags(_attributes, Libc.POSIX_SPAWN_SETSID | Libc.POSIX_SPAWN_SETSIGDEF | Libc.POSIX_SPAWN_SETSIGMASK), "posix_spawnattr_setflags");
        Libc.CheckCode(Libc.posix_spawnattr_setsigmask(_attributes, signals), "posix_spawnattr_setsigmask");

        // All signals to their defaults: .NET ignores SIGPIPE, and `yes | head` would never end.
        *(ulong*)signals = ulong.MaxValue;
        Libc.CheckCode(Libc.posix_spawnattr_setsigdefault(_attributes, signals), "posix_spawnattr_setsigdefault");

        Libc.CheckCode(Libc.posix_spawn_file_actions_init(_actions), "posix_spawn_file_actions_init");

        fixed (byte* top = "/\0"u8)
        {
            Libc.CheckCode(Libc.posix_spawn_file_actions_addchdir_np(_actions, top), "posix_spawn_file_actions_addchdir_np");
        }

        for (var index = 0; index < standard.Count; index++)
        {
            PassOn(standard[index].Number, index);
        }

        var firstFree = 3 + inherited.Count;

        for (var index = 0; index < inherited.Count; index++)
        {
            PassOn(AtLeast(firstFree, inherited[index]).Number, 3 + index);
        }

        // Whatever else is open, even what the server itself inherited without a close-on-exec mark, ends here.
        Libc.CheckCode(Libc.posix_spawn_file_actions_addclosefrom_np(_actions, firstFree), "posix_spawn_file_actions_addclosefrom_np");
    }

    /// <summary>Starts it with an empty environment: a guest reads that of its first process in <c>/proc/1/environ</c>.</summary>
    public int Start()
    {
        int pid;
        Libc.CheckCode(Libc.posix_spawn(&pid, _arguments[0], _actions, _attributes, _arguments, _environment), "posix_spawn");
        return pid;
    }

    public void Dispose()
    {
        _ = Libc.posix_spawn_file_actions_destroy(_actions);
        _ = Libc.posix_spawnattr_destroy(_attributes);

        for (var index = 0; index < _count; index++)
        {
            Marshal.FreeCoTaskMem((nint)_arguments[index]);
        }

        _moved.ForEach(descriptor => descriptor.Dispose());
        NativeMemory.Free(_arguments);
        NativeMemory.Free(_environment);
        NativeMemory.Free(_actions);
        NativeMemory.Free(_attributes);
    }

    /// <summary>The descriptor, or a copy of it under a number that none of the guest's will overwrite.</summary>
    private Descriptor AtLeast(int number, Descriptor descriptor)
    {
        if (descriptor.Number >= number)
        {
            return descriptor;
        }

        var moved = new Descriptor(Libc.Check(Libc.fcntl(descriptor.Number, Libc.F_DUPFD_CLOEXEC, number), "fcntl"));
        _moved.Add(moved);
        return moved;
    }

    private void PassOn(int from, int to) =>
        Libc.CheckCode(Libc.posix_spawn_file_actions_adddup2(_actions, from, to), "posix_spawn_file_actions_adddup2");
}
