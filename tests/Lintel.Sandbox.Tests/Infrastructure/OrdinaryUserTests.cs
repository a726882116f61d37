namespace Lintel.Sandbox.Infrastructure;

/// <summary>
/// A server may be root or not, and takes a different way to a guest's identity in each case. So when these tests are run by
/// root, all of them are run once more by an ordinary user.
/// </summary>
public sealed class OrdinaryUserTests
{
    [Fact(Timeout = 900_000)]
    public async Task All_of_these_tests_pass_for_an_ordinary_user_too()
    {
        OrdinaryUser.SkipUnlessRoot();

        // All but this one, and what the machine lacks.
        await OrdinaryUser.RunTestsAsync("1890000001", least: 60);
    }
}
