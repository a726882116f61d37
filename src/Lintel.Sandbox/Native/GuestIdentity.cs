using System.ComponentModel;

namespace Lintel.Sandbox.Native;

/// <summary>
/// Whom sandboxes run as. A sandbox that bubblewrap makes for root is host uid 0 behind its user namespace: it could open
/// <c>/proc/sys/kernel/core_pattern</c> for writing, and process limits do not count for it. So a server that is root gives
/// every run a plain uid of its own; an ordinary user's server runs them as itself.
/// </summary>
/// <remarks>
/// The kernel keeps credentials per thread and only the C library keeps a process's threads alike, so the supervisor's
/// thread alone takes the guest's identity for the instant of a spawn. Its saved uid stays 0, which is the way back, and
/// becomes the guest's at exec, where the capabilities go too. The <c>setpriv</c> program would do the same at the price of an
/// exec for each run, and the limits of the waiting child, too, can be set by nobody but its own real uid: CAP_SYS_RESOURCE is
/// what containers withhold even from root.
/// </remarks>
internal sealed unsafe class GuestIdentity
{
    private readonly uint[] _ownGroups = [];
    private readonly HashSet<uint> _taken = [];
    private readonly uint _first;
    private readonly uint _count;
    private uint _next;

    public GuestIdentity(uint first, uint count)
    {
        IsRoot = Libc.geteuid() == 0;
        _first = first;
        _count = count;

        // Somewhere in the range, so that two servers of one machine rarely meet.
        _next = (uint)Random.Shared.Next((int)count);

        if (IsRoot)
        {
            var size = Libc.Check(Libc.getgroups(0, null), "getgroups");
            _ownGroups = new uint[size];

            fixed (uint* groups = _ownGroups)
            {
                Libc.Check(Libc.getgroups(size, groups), "getgroups");
            }
        }
    }

    public bool IsRoot { get; }

    /// <summary>A uid that no other run has; the server's own when it is not root.</summary>
    public uint Take()
    {
        if (!IsRoot)
        {
            return Libc.geteuid();
        }

        for (uint tries = 0; tries < _count; tries++)
        {
            var uid = _first + (_next++ % _count);

            if (_taken.Add(uid))
            {
                return uid;
            }
        }

        throw new SandboxException($"All {_count} user ids for sandboxes are in use.");
    }

    public void GiveBack(uint uid) => _taken.Remove(uid);

    /// <summary>Runs the action as the guest. Nothing in it may open a file or start a thread: only calls that were made ready before.</summary>
    public void Run<TState>(uint uid, TState state, Action<TState> action)
    {
        if (!IsRoot)
        {
            action(state);
            return;
        }

        var dumpable = Libc.prctl(Libc.PR_GET_DUMPABLE, 0, 0, 0, 0);
        Assume(uid);

        try
        {
            action(state);
        }
        finally
        {
            Return();

            // Changing identity makes the whole process undumpable, which is right for that instant and would stay.
            _ = Libc.prctl(Libc.PR_SET_DUMPABLE, (nuint)dumpable, 0, 0, 0);
        }
    }

    private static void Assume(uint uid)
    {
        try
        {
            // Raw calls: the library's wrappers would change every thread of the server.
            Libc.Check(Libc.syscall(Libc.SYS_setgroups, 0, 0, 0, 0), "setgroups");
            Libc.Check(Libc.syscall(Libc.SYS_setresgid, (nint)uid, (nint)uid, 0, 0), "setresgid");
            Libc.Check(Libc.syscall(Libc.SYS_setresuid, (nint)uid, (nint)uid, 0, 0), "setresuid");
        }
        catch (Win32Exception refusal)
        {
            throw new SandboxException(
                $"The server is root and may not become uid {uid} for a run ({refusal.Message}). Run it as an ordinary user, or give it CAP_SETUID and CAP_SETGID.",
                refusal);
        }
    }

    private void Return()
    {
        fixed (uint* groups = _ownGroups)
        {
            if (Libc.syscall(Libc.SYS_setresuid, 0, 0, 0, 0) != 0 ||
                Libc.syscall(Libc.SYS_setresgid, 0, 0, 0, 0) != 0 ||
                Libc.syscall(Libc.SYS_setgroups, _ownGroups.Length, (nint)groups, 0, 0) != 0)
            {
                // A server with one thread of another identity cannot be trusted with anything.
                Environment.FailFast("The thread that starts sandboxes could not return to root.");
            }
        }
    }
}
